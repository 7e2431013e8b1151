import { lazy, Suspense } from "react";
import { t } from "../i18n";
import { Dialog } from "../ui/Dialog";
import type { ShareProps } from "./ShareContent";

const ShareContent = lazy(() => import("./ShareContent").then(({ ShareContent }) => ({ default: ShareContent })));

type Props = ShareProps & { onClose: () => void };

/** Shares a conversation, up to a message if one is named, and lists the links that exist. */
export function ShareDialog({ onClose, ...props }: Props) {
  return (
    <Dialog title={props.lastMessageId ? t("Share up to this message") : t("Share")} onClose={onClose}>
      <Suspense fallback={<span className="skeleton" />}>
        <ShareContent {...props} />
      </Suspense>
    </Dialog>
  );
}
