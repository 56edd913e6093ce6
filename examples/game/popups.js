/** Numbers that rise where a mango was. */
export function createPopups() {
  let popups = [];
  return {
    show(x, y, text) {
      popups.push({ x, y, text, age: 0 });
    },
    update(dt) {
      for (const popup of popups) {
        popup.age += dt;
        popup.y -= 60 * dt;
      }
      popups = popups.filter((popup) => popup.age < 0.9);
    },
    draw(ctx) {
      ctx.textAlign = "center";
      ctx.font = "700 20px system-ui, sans-serif";
      for (const popup of popups) {
        ctx.fillStyle = `rgb(255 240 205 / ${1 - popup.age / 0.9})`;
        ctx.fillText(popup.text, popup.x, popup.y);
      }
    },
  };
}
