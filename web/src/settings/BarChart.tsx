import { formatNumber, language } from "../i18n";
import { axisEnd, type Period } from "./usage";

/** A part of each bar. Its colour is the CSS variable `--chart-<number of the part>`. */
export type Series = { label: string; value: (period: Period) => number };
type Props = { title: string; periods: readonly Period[]; series: readonly Series[] };

const HEIGHT = 100;
const SLOT = 10; // units of width for each period
const GAP = 2;

/** A stacked bar for each period. The SVG is stretched to the width of the page, so the texts are outside of it. */
export function BarChart({ title, periods, series }: Props) {
  const total = (period: Period) => series.reduce((sum, { value }) => sum + value(period), 0);
  const end = axisEnd(Math.max(0, ...periods.map(total)));
  return (
    <div className="chart">
      <div className="chart-axis" aria-hidden="true">
        {[end, end / 2, 0].map((value) => (
          <span key={value}>{formatShort(value)}</span>
        ))}
      </div>
      <svg viewBox={`0 0 ${periods.length * SLOT} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={title}>
        {[0, 0.5, 1].map((part) => (
          <line key={part} className="chart-line" x2={periods.length * SLOT} y1={part * HEIGHT} y2={part * HEIGHT} />
        ))}
        {periods.map((period, index) => (
          <Bar key={period.start} {...{ period, index, series, scale: HEIGHT / end }} />
        ))}
      </svg>
      <div className="chart-days" aria-hidden="true">
        {[periods[0], periods[Math.floor((periods.length - 1) / 2)], periods.at(-1)].map(
          (period) => period && <span key={period.start}>{formatDay(period.start)}</span>,
        )}
      </div>
    </div>
  );
}

type BarProps = { period: Period; index: number; series: readonly Series[]; scale: number };

function Bar({ period, index, series, scale }: BarProps) {
  let top = HEIGHT;
  return (
    <g className="chart-bar">
      <title>{`${formatPeriod(period)}\n${series.map((part) => `${part.label}: ${formatNumber(part.value(period))}`).join("\n")}`}</title>
      <rect className="chart-hover" x={index * SLOT} width={SLOT} height={HEIGHT} />
      {series.map((part, number) => {
        const height = part.value(period) * scale;
        top -= height;
        return (
          <rect
            key={part.label}
            x={index * SLOT + GAP / 2}
            width={SLOT - GAP}
            y={top}
            height={height}
            fill={`var(--chart-${number + 1})`}
          />
        );
      })}
    </g>
  );
}

/** Format the days of a period. Its dates have no time, so they are read and written as UTC. */
export function formatPeriod({ start, end }: Period): string {
  return start === end ? formatDay(start) : `${formatDay(start)} – ${formatDay(end)}`;
}

function formatDay(date: string): string {
  const style = { day: "numeric", month: "short", timeZone: "UTC" } as const;
  return new Intl.DateTimeFormat(language(), style).format(new Date(date));
}

function formatShort(value: number): string {
  return new Intl.NumberFormat(language(), { notation: "compact" }).format(value);
}
