/** Applies the theme to the document and follows the system while it is asked to. */
import type { Settings } from '../ipc/bindings/Settings';

const LIGHT = '(prefers-color-scheme: light)';

/** The theme that `choice` means on a system that prefers light or not. */
export function resolveTheme(choice: Settings['theme'], systemIsLight: boolean): 'dark' | 'light' {
  if (choice === 'system') return systemIsLight ? 'light' : 'dark';
  return choice;
}

/** Sets `data-theme`; returns a function that stops following the system. */
export function applyTheme(choice: Settings['theme']): () => void {
  const query = window.matchMedia(LIGHT);
  const apply = () => {
    document.documentElement.dataset['theme'] = resolveTheme(choice, query.matches);
  };
  apply();
  query.addEventListener('change', apply);
  return () => query.removeEventListener('change', apply);
}
