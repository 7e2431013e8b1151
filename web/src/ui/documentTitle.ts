import { useEffect } from "react";

const NAME = "chatstore";

/** Show a title in the browser's tab while the component is mounted. */
export function useDocumentTitle(title: string | undefined): void {
  useEffect(() => {
    document.title = title ? `${title} · ${NAME}` : NAME;
    return () => {
      document.title = NAME;
    };
  }, [title]);
}
