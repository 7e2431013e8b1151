import { useRouter } from "@tanstack/react-router";
import { type KeyboardEvent, type MouseEvent, useLayoutEffect, useRef, useState } from "react";
import { t } from "../i18n";
import { Icon } from "../ui/Icon";
import { controlKey } from "./controlKey";
import type { Item } from "./items";
import { PaletteList } from "./PaletteList";
import { setPaletteOpen } from "./paletteState";
import { useActiveOption } from "./useActiveOption";
import { usePaletteGroups } from "./usePaletteGroups";
import "./palette.css";

const close = () => setPaletteOpen(false);

/** The command palette: one field that finds conversations, messages and commands. */
export function Palette() {
  const dialog = useModal();
  const [text, setText] = useState("");
  const groups = usePaletteGroups(text);
  const items = groups.flatMap((group) => group.items);
  const options = useActiveOption(
    items.map(({ id }) => id),
    text,
    true,
  );
  const open = useOpenItem();

  const handleKey = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing || options.moveByKey(event)) return;
    const active = items.find(({ id }) => id === options.active);
    if (event.key === "Enter" && active) open(active, event);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  };

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does the same as a click beside the palette
    <dialog
      ref={dialog}
      className="palette"
      aria-label={t("Search and commands")}
      onCancel={close}
      onClick={(event) => event.target === event.currentTarget && close()}
    >
      <div className="palette-field">
        <Icon name="search" />
        <input
          role="combobox"
          {...options.field}
          aria-expanded={items.length > 0}
          aria-label={t("Search and commands")}
          placeholder={t("Search, or type a command")}
          value={text}
          dir="auto"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          enterKeyHint="go"
          autoFocus
          onChange={(event) => setText(event.target.value)}
          onKeyDown={handleKey}
        />
        <button type="button" className="palette-close" onClick={close}>
          {t("Close")}
        </button>
      </div>
      <PaletteList groups={groups} options={options} onOpen={open} />
      <footer className="palette-keys soft" aria-hidden="true">
        <span>
          <kbd>↑</kbd> <kbd>↓</kbd> {t("choose")}
        </span>
        <span>
          <kbd>Enter</kbd> {t("open")}
        </span>
        <span>
          <kbd>{controlKey()}</kbd> <kbd>Enter</kbd> {t("in a new tab")}
        </span>
        <span>
          <kbd>Esc</kbd> {t("close")}
        </span>
      </footer>
    </dialog>
  );
}

/** Show a dialog while it is mounted. A layout effect closes it before it leaves the page: only then does the browser
 * give the focus back. */
function useModal() {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const shown = dialog.current;
    shown?.showModal();
    return () => shown?.close();
  }, []);
  return dialog;
}

/** Return the function that opens an item: here, or in a new tab if Ctrl or Cmd is held. */
function useOpenItem() {
  const { history } = useRouter();
  return (item: Item, event: KeyboardEvent | MouseEvent) => {
    const isNewTab = event.ctrlKey || event.metaKey;
    close();
    if ("run" in item) item.run();
    else if (isNewTab) window.open(item.href, "_blank", "noopener");
    else history.push(item.href);
  };
}
