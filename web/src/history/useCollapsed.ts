import { useState } from "react";

const KEY = "chatstore.sidebar";

/** Return whether the sidebar is collapsed on wide screens, and a function that changes it. The browser remembers it. */
export function useCollapsed(): [boolean, (isCollapsed: boolean) => void] {
  const [isCollapsed, setCollapsed] = useState(() => localStorage.getItem(KEY) === "collapsed");
  const change = (value: boolean) => {
    localStorage.setItem(KEY, value ? "collapsed" : "open");
    setCollapsed(value);
  };
  return [isCollapsed, change];
}
