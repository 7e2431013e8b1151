import { memo } from "react";
import { formatDay } from "./days";
import { MessageRow } from "./MessageRow";
import { PendingRow } from "./PendingRow";
import type { Row } from "./rows";

type Props = { row: Row; isLast: boolean; isMarked: boolean };

export function RowView({ row, isLast, isMarked }: Props) {
  switch (row.kind) {
    case "day":
      return <DayRow day={row.day} />;
    case "message":
      return <MessageRow message={row.message} isLast={isLast} isMarked={isMarked} />;
    case "pending":
      return <PendingRow pending={row.pending} />;
  }
}

const DayRow = memo(({ day }: { day: string }) => (
  <div className="day">
    <time dateTime={day}>{formatDay(day, new Date())}</time>
  </div>
));
