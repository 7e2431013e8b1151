import { t } from "../i18n";
import { IconButton } from "./IconButton";
import { removeToast, type Toast, useToasts } from "./toastState";
import "./toasts.css";

export function Toasts() {
  return (
    <div className="toasts" role="status">
      {useToasts().map((toast) => (
        <ToastBox key={toast.id} toast={toast} />
      ))}
    </div>
  );
}

function ToastBox({ toast }: { toast: Toast }) {
  const { id, text, action } = toast;
  const runAction = () => {
    removeToast(id);
    action?.run();
  };
  return (
    <div className="toast">
      <span>{text}</span>
      {action && (
        <button type="button" className="link" onClick={runAction}>
          {action.label}
        </button>
      )}
      <IconButton icon="close" label={t("Dismiss")} onClick={() => removeToast(id)} />
    </div>
  );
}
