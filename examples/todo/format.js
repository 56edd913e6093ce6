/** How long ago something was written down, in words. */
export function age(born, now) {
  const seconds = Math.max(0, Math.round((now - born) / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

export function isOld(born, now) {
  return now - born > 30 * 60_000;
}

export function longDate(now) {
  return new Intl.DateTimeFormat("en", { weekday: "long", day: "numeric", month: "long" }).format(now);
}

export function summary(open) {
  if (open === 0) return "All done. Well done!";
  return open === 1 ? "1 left" : `${open} left`;
}
