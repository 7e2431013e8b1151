/** The frame of the app: the sidebar, the page beside it, and what the user must know at any time. */

import { useQuery } from "@tanstack/react-query";
import { Outlet, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { meQuery } from "../api/account";
import { startOutbox } from "../chat/outbox";
import { Sidebar } from "../history/Sidebar";
import { t } from "../i18n";
import { useKeyboardHelp } from "../search/helpState";
import { setPaletteOpen, usePaletteOpen } from "../search/paletteState";
import { IconButton } from "../ui/IconButton";
import { SignedOutDialog } from "./SignedOutDialog";
import { useDocumentTheme } from "./theme";
import "./shell.css";

const Palette = lazy(() => import("../search/Palette").then(({ Palette }) => ({ default: Palette })));
const KeyboardHelp = lazy(() =>
  import("../search/KeyboardHelp").then(({ KeyboardHelp }) => ({ default: KeyboardHelp })),
);

export function Shell() {
  const [isOpen, setOpen] = useState(false);
  const isPaletteOpen = usePaletteOpen();
  const isHelpOpen = useKeyboardHelp();
  const address = useRouterState({ select: (state) => state.location.href });
  const sidebarButton = useRef<HTMLButtonElement>(null);
  useDocumentTheme();
  usePaletteShortcut();
  useEffect(startOutbox, []);
  // On a phone the sidebar covers the page. It closes when the address changes.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the address is what the effect waits for
  useEffect(() => setOpen(false), [address]);
  useEscape(isOpen, () => {
    setOpen(false);
    sidebarButton.current?.focus();
  });
  useOtherUser();
  return (
    <div className="shell" data-sidebar={isOpen ? "open" : "closed"}>
      <a className="skip-link" href="#main">
        {t("Skip to the content")}
      </a>
      <div className="shell-bar">
        <IconButton
          ref={sidebarButton}
          icon="menu"
          label={t("Conversations")}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        />
      </div>
      <Sidebar />
      <button type="button" className="shell-shade" aria-label={t("Close")} onClick={() => setOpen(false)} />
      <main id="main" tabIndex={-1}>
        <Outlet />
      </main>
      {isPaletteOpen && (
        <Suspense>
          <Palette />
        </Suspense>
      )}
      {isHelpOpen && (
        <Suspense>
          <KeyboardHelp />
        </Suspense>
      )}
      <SignedOutDialog />
    </div>
  );
}

function useEscape(isOpen: boolean, close: () => void): void {
  useEffect(() => {
    if (!isOpen) return;
    const handle = (event: KeyboardEvent) => {
      const isTaken = event.defaultPrevented || document.querySelector("dialog[open], [role=menu]");
      if (event.key === "Escape" && !isTaken) close();
    };
    window.addEventListener("keydown", handle);
    return () => window.removeEventListener("keydown", handle);
  });
}

/** Begin anew if another person has signed in: nothing of the first one may stay on the page. */
function useOtherUser(): void {
  const { data: me } = useQuery(meQuery);
  const first = useRef(me?.id);
  useEffect(() => {
    first.current ??= me?.id;
    if (me && me.id !== first.current) window.location.replace("/app/");
  }, [me]);
}

function usePaletteShortcut(): void {
  useEffect(() => {
    const open = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      setPaletteOpen(true);
    };
    window.addEventListener("keydown", open);
    return () => window.removeEventListener("keydown", open);
  }, []);
}
