/** Four voices. Browsers give no sound before a click, so the audio context is made by the first `setOn(true)`. */
export function createSynth() {
  let context = null;
  let output = null;
  let on = false;

  function wake() {
    context = new AudioContext();
    output = new GainNode(context, { gain: 0.5 });
    const echo = new DelayNode(context, { delayTime: 0.27 });
    const feedback = new GainNode(context, { gain: 0.32 });
    output.connect(context.destination);
    output.connect(echo).connect(feedback).connect(echo);
    feedback.connect(context.destination);
  }

  const voices = { kick, hat, pluck, bell };

  return {
    get isOn() {
      return on;
    },
    setOn(next) {
      on = next;
      if (on && context === null) wake();
      if (on) context.resume();
    },
    play(voice, frequency, length) {
      if (on) voices[voice](context, output, frequency, length);
    },
  };
}

/** A gain that falls from `peak` to nothing. */
function decay(context, output, peak, seconds) {
  const gain = new GainNode(context, { gain: peak });
  gain.gain.exponentialRampToValueAtTime(0.0001, context.currentTime + seconds);
  gain.connect(output);
  return gain;
}

function tone(context, target, type, frequency, seconds) {
  const oscillator = new OscillatorNode(context, { type, frequency });
  oscillator.connect(target);
  oscillator.start();
  oscillator.stop(context.currentTime + seconds);
  return oscillator;
}

function kick(context, output) {
  const oscillator = tone(context, decay(context, output, 0.9, 0.3), "sine", 140, 0.3);
  oscillator.frequency.exponentialRampToValueAtTime(45, context.currentTime + 0.12);
}

function hat(context, output) {
  const target = decay(context, output, 0.09, 0.06);
  for (const frequency of [5230, 6470, 8110]) tone(context, target, "square", frequency, 0.06);
}

function pluck(context, output, frequency, length) {
  const target = decay(context, output, 0.28, length * 3);
  const filter = new BiquadFilterNode(context, { type: "lowpass", frequency: frequency * 6, Q: 4 });
  filter.frequency.exponentialRampToValueAtTime(frequency * 1.2, context.currentTime + length * 2);
  filter.connect(target);
  tone(context, filter, "sawtooth", frequency, length * 3);
}

function bell(context, output, frequency) {
  tone(context, decay(context, output, 0.16, 1.6), "sine", frequency * 2, 1.6);
  tone(context, decay(context, output, 0.07, 0.9), "sine", frequency * 5.4, 0.9);
}
