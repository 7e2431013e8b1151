import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Stats, statsQuery } from "../api/stats";
import { formatNumber, t } from "../i18n";
import { explain } from "../ui/explain";
import { BarChart, formatPeriod, type Series } from "./BarChart";
import { fillDays, groupByWeek, lastDays, localDate, type Period, sum } from "./usage";

const DAYS = [7, 30, 90, 365] as const;
const DAYS_OF_BARS = 90; // a longer period has a bar for each week

export function Usage() {
  const [days, setDays] = useState<number>(30);
  const { data: stats, error, isPlaceholderData } = useQuery(statsQuery(days));
  return (
    <>
      <fieldset className="field">
        <legend className="visually-hidden">{t("Period")}</legend>
        <div className="segments">
          {DAYS.map((count) => (
            <label key={count}>
              <input type="radio" name="days" checked={days === count} onChange={() => setDays(count)} />
              {t("{{count}} days", { count })}
            </label>
          ))}
        </div>
      </fieldset>
      {error && (
        <p className="error-text" role="alert">
          {explain(error)}
        </p>
      )}
      {!stats && !error && <span className="skeleton usage-skeleton" />}
      {stats && (
        <div aria-busy={isPlaceholderData}>
          <Charts stats={stats} days={days} />
        </div>
      )}
    </>
  );
}

function Charts({ stats, days }: { stats: Stats; days: number }) {
  const byDay = fillDays(lastDays(days, localDate(new Date())), stats.by_day);
  const periods = days > DAYS_OF_BARS ? groupByWeek(byDay) : byDay;
  const total = sum(byDay);
  const tokens: Series[] = [
    { label: t("Input tokens"), value: (period) => period.prompt_tokens },
    { label: t("Output tokens"), value: (period) => period.completion_tokens },
  ];
  const messages: Series[] = [{ label: t("Messages"), value: (period) => period.messages }];
  return (
    <>
      <dl className="sums">
        <Sum term={t("Messages")} value={total.messages} />
        <Sum term={t("Input tokens")} value={total.prompt_tokens} />
        <Sum term={t("Output tokens")} value={total.completion_tokens} />
      </dl>
      <ChartBlock title={t("Tokens")} periods={periods} series={tokens} />
      <ChartBlock title={t("Messages")} periods={periods} series={messages} />
      <ByModel rows={stats.by_model} />
      <p className="soft">
        {t("Since you joined: {{conversations}} conversations with {{messages}} messages. The trash is not counted.", {
          conversations: formatNumber(stats.conversations),
          messages: formatNumber(stats.messages),
        })}
      </p>
    </>
  );
}

function Sum({ term, value }: { term: string; value: number }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{formatNumber(value)}</dd>
    </div>
  );
}

type BlockProps = { title: string; periods: readonly Period[]; series: readonly Series[] };

function ChartBlock({ title, periods, series }: BlockProps) {
  return (
    <section className="settings-block" aria-label={title}>
      <div className="chart-head">
        <h3>{title}</h3>
        {series.length > 1 && (
          <ul className="legend">
            {series.map(({ label }, number) => (
              <li key={label} data-series={number + 1}>
                {label}
              </li>
            ))}
          </ul>
        )}
      </div>
      <BarChart title={title} periods={periods} series={series} />
      <details>
        <summary>{t("As a table")}</summary>
        <PeriodTable periods={periods} series={series} />
      </details>
    </section>
  );
}

function PeriodTable({ periods, series }: Omit<BlockProps, "title">) {
  const used = periods.filter((period) => series.some(({ value }) => value(period)));
  if (used.length === 0) return <p className="soft">{t("Nothing in this period.")}</p>;
  return (
    <div className="table-frame">
      <table>
        <thead>
          <tr>
            <th>{t("Day")}</th>
            {series.map(({ label }) => (
              <th key={label} className="number">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {used.toReversed().map((period) => (
            <tr key={period.start}>
              <th scope="row">{formatPeriod(period)}</th>
              {series.map(({ label, value }) => (
                <td key={label} className="number">
                  {formatNumber(value(period))}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ByModel({ rows }: { rows: Stats["by_model"] }) {
  const highest = Math.max(1, ...rows.map((row) => row.prompt_tokens + row.completion_tokens));
  if (rows.length === 0) return null;
  return (
    <section className="settings-block" aria-label={t("By model")}>
      <h3>{t("By model")}</h3>
      <div className="table-frame">
        <table className="by-model">
          <thead>
            <tr>
              <th>{t("Model")}</th>
              <th className="number">{t("Messages")}</th>
              <th className="number">{t("Input tokens")}</th>
              <th className="number">{t("Output tokens")}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.model}>
                <th scope="row">
                  {row.model}
                  <StackedBar parts={[row.prompt_tokens / highest, row.completion_tokens / highest]} />
                </th>
                <td className="number">{formatNumber(row.messages)}</td>
                <td className="number">{formatNumber(row.prompt_tokens)}</td>
                <td className="number">{formatNumber(row.completion_tokens)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** A bar of two parts beside each other, as fractions of the whole width. The numbers are in the table. */
function StackedBar({ parts: [first, second] }: { parts: [number, number] }) {
  return (
    <svg className="stacked-bar" viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
      <rect width={first} height={1} fill="var(--chart-1)" />
      <rect x={first} width={second} height={1} fill="var(--chart-2)" />
    </svg>
  );
}
