/** The addresses of the app. Pages that are opened rarely are loaded on demand. */

import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import { ChatPage } from "./chat/ChatPage";
import { NotFound } from "./shell/NotFound";
import { Shell } from "./shell/Shell";

const root = createRootRoute({ notFoundComponent: NotFound });
const app = createRoute({ getParentRoute: () => root, path: "/app", component: Shell });
const getParentRoute = () => app;

/** Return a reader of the text parameter `name` in an address. */
function textParameter<Name extends string>(name: Name) {
  return (search: Record<string, unknown>) =>
    (typeof search[name] === "string" ? { [name]: search[name] } : {}) as { [Key in Name]?: string };
}

const pages = [
  createRoute({ getParentRoute, path: "/", component: ChatPage }),
  // `message` is the id of the message to show first.
  createRoute({
    getParentRoute,
    path: "/c/$conversationId",
    validateSearch: textParameter("message"),
    component: ChatPage,
  }),
  createRoute({
    getParentRoute,
    path: "/search",
    validateSearch: textParameter("q"),
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
    path: "/settings/$section",
    component: lazyRouteComponent(() => import("./settings/SettingsPage"), "SettingsPage"),
  }),
] as const;

const shared = createRoute({
  getParentRoute: () => root,
  path: "/share/$token",
  component: lazyRouteComponent(() => import("./sharing/SharedPage"), "SharedPage"),
});

export function createAppRouter() {
  return createRouter({ routeTree: root.addChildren([app.addChildren(pages), shared]), trailingSlash: "preserve" });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
