/** The addresses of the app. Pages that are opened rarely are loaded on demand. */

import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { conversationQuery } from "./api/conversations";
import { messagesQuery } from "./api/messages";
import { queryClient } from "./api/queryClient";
import { ChatPage } from "./chat/ChatPage";
import { NotFound } from "./shell/NotFound";
import { Root } from "./shell/Root";
import { Shell } from "./shell/Shell";

const root = createRootRoute({ component: Root, notFoundComponent: NotFound });
const app = createRoute({ getParentRoute: () => root, path: "/app", component: Shell });
const getParentRoute = () => app;

/** Return a function that keeps only the text parameters with these names, for `validateSearch`. */
function textParameters<Name extends string>(...names: Name[]) {
  return (search: Record<string, unknown>) =>
    Object.fromEntries(
      names.filter((name) => typeof search[name] === "string").map((name) => [name, search[name]]),
    ) as {
      [Key in Name]?: string;
    };
}

/** `message` is the id of the message to show first. */
const chatParameters = textParameters("message");

/** Begin to read a conversation before the page is rendered, so that its messages do not wait for the user's data. */
function startReading(conversationId: string, messageId: string | undefined): void {
  void queryClient.prefetchQuery(conversationQuery(conversationId));
  if (!messageId) void queryClient.prefetchInfiniteQuery(messagesQuery(conversationId));
}

const pages = [
  createRoute({ getParentRoute, path: "/", component: ChatPage }),
  createRoute({
    getParentRoute,
    path: "/c/$conversationId",
    validateSearch: chatParameters,
    loaderDeps: ({ search: { message } }) => ({ message }),
    loader: ({ params, deps }) => startReading(params.conversationId, deps.message),
    component: ChatPage,
  }),
  createRoute({
    getParentRoute,
    path: "/search",
    validateSearch: textParameters("q", "sort"),
    component: lazyRouteComponent(() => import("./search/SearchPage"), "SearchPage"),
  }),
  createRoute({
    getParentRoute,
    path: "/archive",
    component: lazyRouteComponent(() => import("./history/ArchivePage"), "ArchivePage"),
  }),
  createRoute({
    getParentRoute,
    path: "/trash",
    component: lazyRouteComponent(() => import("./history/TrashPage"), "TrashPage"),
  }),
  createRoute({
    getParentRoute,
    path: "/settings",
    beforeLoad: () => {
      throw redirect({ to: "/app/settings/$section", params: { section: "general" }, replace: true });
    },
  }),
  createRoute({
    getParentRoute,
    path: "/settings/$section",
    component: lazyRouteComponent(() => import("./settings/SettingsPage"), "SettingsPage"),
  }),
] as const;

const shared = createRoute({
  getParentRoute: () => root,
  path: "/share/$token",
  component: lazyRouteComponent(() => import("./sharing/SharedPage"), "SharedPage"),
});

/** Build the query string of an address from its text parameters. */
function formatParameters(search: Record<string, unknown>): string {
  const texts = Object.entries(search).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return texts.length > 0 ? `?${new URLSearchParams(texts)}` : "";
}

export function createAppRouter() {
  return createRouter({
    routeTree: root.addChildren([app.addChildren(pages), shared]),
    trailingSlash: "preserve",
    // The parameters are texts. By default, the router reads `?q=2026` as a number, and `?q="a b"` as JSON.
    parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
    stringifySearch: formatParameters,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
