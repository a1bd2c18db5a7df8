/** The ways to bring nodes into line, each with its sign. */
import Bottom from '@lucide/svelte/icons/align-end-horizontal';
import Centre from '@lucide/svelte/icons/align-center-vertical';
import Left from '@lucide/svelte/icons/align-start-vertical';
import Middle from '@lucide/svelte/icons/align-center-horizontal';
import Right from '@lucide/svelte/icons/align-end-vertical';
import SpreadX from '@lucide/svelte/icons/align-horizontal-distribute-center';
import SpreadY from '@lucide/svelte/icons/align-vertical-distribute-center';
import Top from '@lucide/svelte/icons/align-start-horizontal';
import type { Alignment } from '../../state/canvas/edits';
import type { Icon } from './icons';

export const ALIGNMENTS: readonly { how: Alignment; icon: Icon }[] = [
  { how: 'left', icon: Left },
  { how: 'centre', icon: Centre },
  { how: 'right', icon: Right },
  { how: 'top', icon: Top },
  { how: 'middle', icon: Middle },
  { how: 'bottom', icon: Bottom },
  { how: 'spread_x', icon: SpreadX },
  { how: 'spread_y', icon: SpreadY },
];
