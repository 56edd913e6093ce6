import { createClock } from "./clock.js";
import { createRings } from "./rings.js";
import { createSequencer } from "./sequencer.js";
import { createSynth } from "./synth.js";
import { createTracks } from "./tracks.js";
import { frequency, noteName, tempo } from "./notes.js";

const $ = (selector) => document.querySelector(selector);

const tracks = createTracks();
const synth = createSynth();
const clock = createClock($("#hands"), $("#marks"), $("#time"));
const rings = createRings($("#rings"), $("#sweep"), tracks);

const sequencer = createSequencer({
  steps: tracks.steps,
  onStep(step, length) {
    for (const track of tracks.playing(step)) {
      rings.pulse(track, step);
      synth.play(track.voice, frequency(track.degree(step)), length);
      if (track.voice === "pluck") $("#note").value = noteName(track.degree(step));
    }
    $("#bpm").value = `${tempo()} bpm`;
  },
});

function setSound(on) {
  synth.setOn(on);
  $("#sound").ariaPressed = String(on);
  $("#sound").textContent = on ? "Sound off" : "Sound on";
}

$("#sound").addEventListener("click", () => setSound(!synth.isOn));
$("#shuffle").addEventListener("click", () => {
  tracks.shuffle();
  rings.refresh();
});

function frame() {
  requestAnimationFrame(frame);
  clock.draw(new Date());
  rings.turn(sequencer.position());
}

sequencer.start();
requestAnimationFrame(frame);
