/** Points, streak and best are seen by nobody but the functions in here. */
export function createScore(document) {
  const fields = {
    points: document.querySelector("#points"),
    best: document.querySelector("#best"),
    streak: document.querySelector("#streak"),
  };
  let points = 0;
  let streak = 0;
  let best = 0;
  let shown = 0;

  function worth() {
    return 10 * Math.min(streak, 9);
  }

  return {
    add() {
      streak += 1;
      const gained = worth();
      points += gained;
      best = Math.max(best, points);
      return gained;
    },

    miss() {
      streak = 0;
      points = Math.floor(points / 2);
    },

    update(dt) {
      shown += (points - shown) * Math.min(1, dt * 9);
      fields.points.textContent = String(Math.round(shown));
      fields.best.textContent = String(best);
      fields.streak.textContent = streak > 1 ? `× ${Math.min(streak, 9)}` : "";
    },
  };
}
