import { useEffect, useState } from "react";
import { t } from "../i18n";
import { IconButton } from "../ui/IconButton";
import { showToast } from "../ui/toastState";

const SECONDS = 2;

/** A button that copies a text. It shows a check mark for a moment. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [isDone, setDone] = useState(false);
  useEffect(() => {
    if (!isDone) return;
    const timer = setTimeout(() => setDone(false), SECONDS * 1000);
    return () => clearTimeout(timer);
  }, [isDone]);
  const copy = async () => {
    if (await copyText(text)) setDone(true);
    else showToast(t("The browser does not allow copying here. Select the text and copy it."));
  };
  return (
    <>
      <IconButton icon={isDone ? "check" : "copy"} label={label} onClick={() => void copy()} />
      <span className="visually-hidden" role="status">
        {isDone && t("Copied")}
      </span>
    </>
  );
}

/** Copy a text. Return false if the browser refuses. Without HTTPS or localhost, only a selected text can be copied. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

function copySelected(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  return isCopied;
}
