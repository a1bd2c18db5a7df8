/** What the rail shows: each place with its sign and its view. */
import CircleUser from '@lucide/svelte/icons/circle-user';
import Boxes from '@lucide/svelte/icons/boxes';
import History from '@lucide/svelte/icons/history';
import House from '@lucide/svelte/icons/house';
import Images from '@lucide/svelte/icons/images';
import SettingsIcon from '@lucide/svelte/icons/settings-2';
import ListOrdered from '@lucide/svelte/icons/list-ordered';
import ShieldCheck from '@lucide/svelte/icons/shield-check';
import Workflow from '@lucide/svelte/icons/workflow';
import type { Component } from 'svelte';
import type { PlaceId } from '../state/places.svelte';
import Account from './Account.svelte';
import HistoryView from './History.svelte';
import Canvas from './Canvas.svelte';
import Home from './Home.svelte';
import Library from './Library.svelte';
import Models from './Models.svelte';
import Outgoing from './Outgoing.svelte';
import Settings from './Settings.svelte';
import Queue from './Queue.svelte';

export interface PlaceView {
  icon: Component<{ size?: number; strokeWidth?: number; 'aria-hidden'?: 'true' }>;
  view: Component;
  /** At the foot of the rail: about the program, not about pictures. */
  foot?: boolean;
}

export const VIEWS: Record<PlaceId, PlaceView> = {
  home: { icon: House, view: Home },
  library: { icon: Images, view: Library },
  queue: { icon: ListOrdered, view: Queue },
  history: { icon: History, view: HistoryView },
  canvas: { icon: Workflow, view: Canvas },
  models: { icon: Boxes, view: Models, foot: true },
  outgoing: { icon: ShieldCheck, view: Outgoing, foot: true },
  account: { icon: CircleUser, view: Account, foot: true },
  settings: { icon: SettingsIcon, view: Settings, foot: true },
};
