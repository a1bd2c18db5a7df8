/** The places of the window, and which of them is shown. */
import { createContext } from 'svelte';

/** In the order of the rail. A place is listed here, in `views/places.ts` and in the messages. */
export const PLACES = ['home', 'library', 'canvas', 'queue', 'history', 'models', 'outgoing', 'account', 'settings'] as const;
export type PlaceId = (typeof PLACES)[number];

export class Places {
  current = $state<PlaceId>('home');
  /** An ONNX file that was dropped and waits to be looked at. */
  modelFile = $state<string | null>(null);

  open(place: PlaceId): void {
    this.current = place;
  }
}

export const [usePlaces, providePlaces] = createContext<Places>();
