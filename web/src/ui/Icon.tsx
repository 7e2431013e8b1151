/** Icons of 24 × 24 units, drawn with lines. They are decorative: the button around an icon has the label. */

const PATHS = {
  archive: "M4 4h16v4H4zM6 8v12h12V8M10 12h4",
  arrowDown: "M12 4v15M6 13l6 6 6-6",
  branch: "M6 4v10a4 4 0 0 0 4 4h8M6 9h6a4 4 0 0 0 4-4",
  chart: "M4 20h16M7 16v-5M12 16V5M17 16v-8",
  chat: "M4 5h16v11H10l-5 4v-4H4z",
  check: "M5 13l4 4L19 7",
  checklist: "M4 7l1.5 1.5L8 5M4 16l1.5 1.5L8 14M12 7h8M12 16h8",
  chevronDown: "M6 9l6 6 6-6",
  chevronLeft: "M15 6l-6 6 6 6",
  chevronRight: "M9 6l6 6-6 6",
  clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4l3 2",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  download: "M12 4v11M8 11l4 4 4-4M5 20h14",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  globe: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM4 12h16M12 4c-5 5-5 11 0 16c5-5 5-11 0-16",
  key: "M8 11a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM11 12l8-8M16 7l3 3",
  keyboard: "M3 7h18v11H3zM7 11h.01M11 11h.01M15 11h.01M8 15h8",
  menu: "M4 6h16M4 12h16M4 18h16",
  message: "M5 6h14M5 11h14M5 16h8",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  open: "M13 4h7v7M20 4l-9 9M18 14v6H4V6h6",
  pin: "M9 4h6l-1 6 4 4H6l4-4zM12 14v6",
  plus: "M12 5v14M5 12h14",
  refresh: "M20 11a8 8 0 1 0-2 6M20 5v6h-6",
  restore: "M4 9h10a6 6 0 0 1 0 12H8M8 5L4 9l4 4",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L20 20",
  send: "M12 20V5M6 11l6-6 6 6",
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M14 4v6M6 14v6",
  share: "M12 15V4M8 8l4-4 4 4M5 13v7h14v-7",
  shield: "M12 3l7 3v6c0 4-3 7-7 9-4-2-7-5-7-9V6z",
  sidebar: "M4 5h16v14H4zM10 5v14",
  signOut: "M14 8V4H4v16h10v-4M10 12h11M17 8l4 4-4 4",
  stop: "M7 7h10v10H7z",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5L19 19M19 5l-1.5 1.5M5 19l1.5-1.5",
  tag: "M4 4h8l8 8-8 8-8-8zM8 8h.01",
  thumbsDown:
    "M17 14V4M17 14l-4 7a2.5 2.5 0 0 1-2-3l1-4H6a2 2 0 0 1-2-2.4l1.2-6A2 2 0 0 1 7.2 4H19a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1z",
  thumbsUp:
    "M7 10v10M7 10l4-7a2.5 2.5 0 0 1 2 3l-1 4h6a2 2 0 0 1 2 2.4l-1.2 6a2 2 0 0 1-2 1.6H5a1 1 0 0 1-1-1v-8a1 1 0 0 1 1-1z",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  user: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4 20c1-4 4-6 8-6s7 2 8 6",
} as const;

export type IconName = keyof typeof PATHS;

/** Icons that point along the line. They point the other way where text runs from right to left. */
const POINTING: ReadonlySet<IconName> = new Set([
  "checklist",
  "chevronLeft",
  "chevronRight",
  "message",
  "restore",
  "sidebar",
  "signOut",
]);

export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      className={POINTING.has(name) ? "icon pointing" : "icon"}
      viewBox="0 0 24 24"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
