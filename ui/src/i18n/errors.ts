/** Failures of the program in the language of the window, by their kind. */
import { hasMessage, t } from './index.svelte';

/** What happened, as a sentence. */
export function errorTitle(code: string): string {
  const key = `error.${code}`;
  return hasMessage(key) ? t(key as 'error.internal') : t('error.internal');
}

/** What can be done in the window; the program's own hints speak of the command line. */
export function errorRemedy(code: string): string {
  const key = `remedy.${code}`;
  return hasMessage(key) ? t(key as 'remedy.internal') : t('remedy.internal');
}
