import { mount } from 'svelte';
import App from './App.svelte';
import './styles/fonts.css';
import './styles/tokens.css';
import './styles/base.css';
import type { Ipc } from './ipc/ipc';

/** The fake exists in the mode `fake` only; a build for the product does not contain it. */
async function door(): Promise<Ipc> {
  if (import.meta.env.MODE === 'fake') {
    const { fakeFromAddress } = await import('./ipc/fake-address');
    return fakeFromAddress(window.location.search);
  }
  const { tauriIpc } = await import('./ipc/tauri');
  return tauriIpc();
}

const target = document.getElementById('app');
if (target) mount(App, { target, props: { ipc: await door() } });
