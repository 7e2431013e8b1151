import { useEffect } from "react";
import { t } from "../i18n";
import { closesSomething, isField, rescueFocus } from "./focus";
import { IconButton } from "./IconButton";
import { removeToast, type Toast, useToasts } from "./toastState";
import "./toasts.css";

export function Toasts() {
  const toasts = useToasts();
  useUndoKey(toasts);
  return (
    <div className="toasts" role="status">
      {toasts.map((toast) => (
        <ToastBox key={toast.id} toast={toast} />
      ))}
    </div>
  );
}

/** Ctrl+Z outside of a field runs the newest action. The buttons are far away for the Tab key. */
function useUndoKey(toasts: readonly Toast[]): void {
  useEffect(() => {
    const handle = (event: KeyboardEvent) => {
      const isUndo = event.key === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey;
      const newest = toasts.findLast(({ action }) => action);
      if (!newest || !isUndo || isField(event.target) || closesSomething(event.target)) return;
      event.preventDefault();
      run(newest);
    };
    window.addEventListener("keydown", handle);
    return () => window.removeEventListener("keydown", handle);
  }, [toasts]);
}

function run(toast: Toast): void {
  close(toast);
  toast.action?.run();
}

function close({ id }: Toast): void {
  removeToast(id);
  rescueFocus();
}

function ToastBox({ toast }: { toast: Toast }) {
  const { text, action } = toast;
  return (
    <div className="toast">
      <span>{text}</span>
      {action && (
        <button type="button" className="link" onClick={() => run(toast)}>
          {action.label}
        </button>
      )}
      <IconButton icon="close" label={t("Dismiss")} onClick={() => close(toast)} />
    </div>
  );
}
