/** Sound: playing it while it arrives, recording it, and drawing it. */
const sampleRate = 24000;
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function pcmSamples(base64) {
  const text = atob(base64);
  const samples = new Float32Array(text.length >> 1);
  for (let i = 0; i < samples.length; i += 1) {
    const value = text.charCodeAt(2 * i) | (text.charCodeAt(2 * i + 1) << 8);
    samples[i] = (value > 32767 ? value - 65536 : value) / 32768;
  }
  return samples;
}

/** Plays pieces one after another, each as soon as it is there. */
class Flow {
  constructor() {
    this.context = new AudioContext({ sampleRate });
    this.time = 0;
    this.sources = [];
  }

  add(samples) {
    const buffer = this.context.createBuffer(1, samples.length, sampleRate);
    buffer.copyToChannel(samples, 0);
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.context.destination);
    this.time = Math.max(this.time, this.context.currentTime + 0.08);
    source.start(this.time);
    this.time += buffer.duration;
    this.sources.push(source);
  }

  /** Seconds that are still to be heard. */
  get left() { return Math.max(0, this.time - this.context.currentTime); }

  close() {
    if (this.context.state !== 'closed') this.context.close();
  }
}

/** The samples of a 16-bit WAV file of one channel. */
function wavSamples(buffer) {
  const view = new DataView(buffer);
  let position = 12;
  while (position + 8 <= view.byteLength) {
    const name = String.fromCharCode(...new Uint8Array(buffer, position, 4));
    const size = Math.min(view.getUint32(position + 4, true), view.byteLength - position - 8);
    if (name === 'data') {
      const samples = new Float32Array(size >> 1);
      for (let i = 0; i < samples.length; i += 1) samples[i] = view.getInt16(position + 8 + 2 * i, true) / 32768;
      return samples;
    }
    position += 8 + size + (size & 1);
  }
  return new Float32Array(0);
}

function wavFile(samples, rate) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const put = (at, text) => [...text].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  put(0, 'RIFF');
  view.setUint32(4, 36 + 2 * samples.length, true);
  put(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, 2 * rate, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  put(36, 'data');
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((value, i) => view.setInt16(44 + 2 * i, Math.max(-1, Math.min(1, value)) * 32767, true));
  return new Blob([view], { type: 'audio/wav' });
}

/** Records from the microphone until it is stopped; gives a WAV file. */
async function startRecording() {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const context = new AudioContext();
  const source = context.createMediaStreamSource(stream);
  const tap = context.createScriptProcessor(4096, 1, 1);
  const pieces = [];
  tap.onaudioprocess = (event) => pieces.push(event.inputBuffer.getChannelData(0).slice());
  source.connect(tap);
  tap.connect(context.destination);
  return async () => {
    stream.getTracks().forEach((track) => track.stop());
    const rate = context.sampleRate;
    await context.close();
    const samples = new Float32Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let place = 0;
    for (const piece of pieces) {
      samples.set(piece, place);
      place += piece.length;
    }
    return wavFile(samples, rate);
  };
}

function drawWave(canvas, samples) {
  const { width, height } = canvas;
  const pen = canvas.getContext('2d');
  pen.clearRect(0, 0, width, height);
  pen.fillStyle = color('--green');
  // Quiet sound is drawn larger, silence is not.
  const peak = samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0.02);
  for (let x = 0; x < width; x += 1) {
    const [from, to] = [Math.floor((x * samples.length) / width), Math.ceil(((x + 1) * samples.length) / width)];
    let [low, high] = [0, 0];
    for (let i = from; i < to; i += 1) {
      low = Math.min(low, samples[i]);
      high = Math.max(high, samples[i]);
    }
    const top = (1 - high / peak) * 0.5 * height;
    pen.fillRect(x, top, 1, Math.max(1, (1 - low / peak) * 0.5 * height - top));
  }
}

/** Magnitudes of the first half of a spectrum of 1,024 windowed samples; radix 2, in place. */
function spectrum(samples, start, window, re, im) {
  const size = re.length;
  for (let i = 0, j = 0; i < size; i += 1) {
    re[j] = (samples[start + i] ?? 0) * window[i];
    im[j] = 0;
    let bit = size >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
  }
  for (let half = 1; half < size; half *= 2) {
    for (let k = 0; k < half; k += 1) {
      const [c, s] = [Math.cos((-Math.PI * k) / half), Math.sin((-Math.PI * k) / half)];
      for (let i = k; i < size; i += 2 * half) {
        const [r, m] = [re[i + half] * c - im[i + half] * s, re[i + half] * s + im[i + half] * c];
        re[i + half] = re[i] - r;
        im[i + half] = im[i] - m;
        re[i] += r;
        im[i] += m;
      }
    }
  }
}

/** 80 bands, equally wide in mel, each with its first and last bin. */
function melBands(bands, bins) {
  const mel = (hertz) => 2595 * Math.log10(1 + hertz / 700);
  const hertz = (value) => 700 * (10 ** (value / 2595) - 1);
  const top = mel(sampleRate / 2);
  return Array.from({ length: bands }, (_, band) => {
    const edge = (place) => (hertz((top * place) / bands) / (sampleRate / 2)) * bins;
    const from = Math.floor(edge(band));
    return [from, Math.max(from + 1, Math.ceil(edge(band + 1)))];
  });
}

function heat(share) {
  const stops = [[10, 14, 30], [52, 24, 92], [150, 44, 98], [228, 96, 62], [252, 186, 72], [254, 248, 200]];
  const place = Math.max(0, Math.min(0.9999, share)) * (stops.length - 1);
  const [low, part] = [Math.floor(place), place % 1];
  return stops[low].map((value, i) => value + (stops[low + 1][i] - value) * part);
}

function drawMel(canvas, samples) {
  const [size, bands] = [1024, 80];
  const hop = Math.max(256, Math.ceil(samples.length / 1500));
  const frames = Math.max(1, Math.floor(samples.length / hop));
  const window = Float32Array.from({ length: size }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / size));
  const [re, im] = [new Float32Array(size), new Float32Array(size)];
  const edges = melBands(bands, size / 2);
  canvas.width = frames;
  canvas.height = bands;
  const pen = canvas.getContext('2d');
  const image = pen.createImageData(frames, bands);
  for (let frame = 0; frame < frames; frame += 1) {
    spectrum(samples, frame * hop, window, re, im);
    edges.forEach(([from, to], band) => {
      let power = 0;
      for (let bin = from; bin < to; bin += 1) power += re[bin] * re[bin] + im[bin] * im[bin];
      const level = (Math.log10(power / (to - from) + 1e-7) + 5) / 8;
      image.data.set([...heat(level), 255], 4 * ((bands - 1 - band) * frames + frame));
    });
  }
  pen.putImageData(image, 0, 0);
}
