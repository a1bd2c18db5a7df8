/** The sound at the end of the queue: two soft notes, made here, so that no file is needed. */

const NOTES_HZ = [523.25, 783.99];
const APART_SECONDS = 0.16;
const LENGTH_SECONDS = 1.1;

export function chime(): void {
  if (typeof AudioContext === 'undefined') return;
  const sound = new AudioContext();
  NOTES_HZ.forEach((frequency, index) => {
    const note = sound.createOscillator();
    const volume = sound.createGain();
    const begin = sound.currentTime + index * APART_SECONDS;
    note.type = 'sine';
    note.frequency.value = frequency;
    // A click is heard where a note begins or ends at once.
    volume.gain.setValueAtTime(0, begin);
    volume.gain.linearRampToValueAtTime(0.2, begin + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, begin + LENGTH_SECONDS);
    note.connect(volume).connect(sound.destination);
    note.start(begin);
    note.stop(begin + LENGTH_SECONDS);
    if (index === NOTES_HZ.length - 1) note.onended = () => void sound.close();
  });
}
