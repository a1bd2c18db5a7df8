/** How components reach the state and the door, without passing them through every level. */
import { createContext } from 'svelte';
import type { Ipc } from '../ipc/ipc';
import type { Studio } from './studio.svelte';

export const [useStudio, provideStudio] = createContext<Studio>();
export const [useIpc, provideIpc] = createContext<Ipc>();
