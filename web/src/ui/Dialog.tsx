import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { t } from "../i18n";
import { rescueFocus } from "./focus";
import { IconButton } from "./IconButton";
import "./dialog.css";

type Props = { title: string; onClose: () => void; children?: ReactNode };

/**
 * A modal dialog. It is open while it is mounted. Its first field has the focus, or else its first button. The browser
 * keeps the focus inside, and gives it back at the end.
 */
export function Dialog({ title, onClose, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  // A layout effect closes the dialog before React removes it. Otherwise the browser does not give the focus back.
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    dialog?.querySelector<HTMLElement>("input, textarea, select")?.focus();
    return () => {
      dialog?.close();
      rescueFocus(); // what opened the dialog can have disappeared
    };
  }, []);
  return (
    <dialog ref={ref} className="dialog" aria-labelledby={titleId} onCancel={onClose} onClose={onClose}>
      <header>
        <h2 id={titleId}>{title}</h2>
        <IconButton icon="close" label={t("Close")} onClick={onClose} />
      </header>
      {children}
    </dialog>
  );
}
