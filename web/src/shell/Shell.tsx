/** The frame of the app: the sidebar, the page beside it, and the dialogs that can open on every page. */

import { Link, Outlet, useRouter } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { startOutbox } from "../chat/outbox";
import { Sidebar } from "../history/Sidebar";
import { t } from "../i18n";
import { useKeyboardHelp } from "../search/helpState";
import { setPaletteOpen, usePaletteOpen } from "../search/paletteState";
import { rescueFocus } from "../ui/focus";
import { Icon } from "../ui/Icon";
import { IconButton } from "../ui/IconButton";
import { SignedOutDialog } from "./SignedOutDialog";
import { useDocumentTheme } from "./theme";
import "./shell.css";

const loadPalette = () => import("../search/Palette").then(({ Palette }) => ({ default: Palette }));
const Palette = lazy(loadPalette);
const KeyboardHelp = lazy(() =>
  import("../search/KeyboardHelp").then(({ KeyboardHelp }) => ({ default: KeyboardHelp })),
);

export function Shell() {
  const { isOpen, setOpen, button } = useDrawer();
  const isPaletteOpen = usePaletteOpen();
  const isHelpOpen = useKeyboardHelp();
  useDocumentTheme();
  usePaletteShortcut();
  useEffect(startOutbox, []);
  useFocusOfNewPage();
  return (
    <div className="shell" data-sidebar={isOpen ? "open" : "closed"}>
      <a className="skip-link" href="#main">
        {t("Skip to the content")}
      </a>
      <div className="shell-bar">
        <IconButton
          ref={button}
          icon="menu"
          label={t("Conversations")}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
        />
        <Link to="/app" className="icon-button" aria-label={t("New conversation")} title={t("New conversation")}>
          <Icon name="plus" />
        </Link>
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

/**
 * On a phone the sidebar covers the page. It closes when a link is followed, also the link to the page behind it, and
 * with Escape, except where Escape closes something else.
 */
function useDrawer() {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const router = useRouter();
  useEffect(() => router.subscribe("onBeforeLoad", () => setOpen(false)), [router]);
  useEffect(() => {
    if (!isOpen) return;
    const close = (event: KeyboardEvent) => {
      const isTaken = event.defaultPrevented || document.querySelector("dialog[open], [role=menu]");
      if (event.key !== "Escape" || isTaken) return;
      setOpen(false);
      button.current?.focus();
    };
    window.addEventListener("keydown", close);
    return () => window.removeEventListener("keydown", close);
  }, [isOpen]);
  return { isOpen, setOpen, button };
}

/** Give the focus to a new page if the element that had it has disappeared with the old page. */
function useFocusOfNewPage(): void {
  const router = useRouter();
  useEffect(() => router.subscribe("onRendered", ({ fromLocation }) => fromLocation && rescueFocus()), [router]);
}

/** Ctrl+K opens the palette. It is loaded before, because the keys that follow at once are meant for it. */
function usePaletteShortcut(): void {
  useEffect(() => {
    loadPalette().catch(() => undefined);
    const open = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      setPaletteOpen(true);
    };
    window.addEventListener("keydown", open);
    return () => window.removeEventListener("keydown", open);
  }, []);
}
