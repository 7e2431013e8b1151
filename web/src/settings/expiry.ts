/** The expiry of a token or a link: a number of days, a date, or never. */

export type Expiry = { choice: string; date: string };

const DAY = 24 * 3600 * 1000;

/** Return the time at which it expires, null for never, or undefined while no valid date is chosen. */
export function expiryTime({ choice, date }: Expiry, now: Date): string | null | undefined {
  if (choice === "never") return null;
  if (choice !== "date") return new Date(now.getTime() + Number(choice) * DAY).toISOString();
  const end = new Date(`${date}T23:59:59`); // the end of the day in the time zone of the browser
  return Number.isNaN(end.getTime()) ? undefined : end.toISOString();
}
