/** What can be done with what is chosen: the same from the panel, the menu and the keyboard. */
export interface Actions {
  canOpen(): boolean;
  /** What opening it is called: sound cannot be enlarged. */
  opens(): string;
  open(): void;
  reveal(): void;
  rename(): void;
  relink(): void;
  findMissing(): void;
  /** Several are chosen, and there is something to see of some. */
  canSheet(): boolean;
  sheet(): void;
  remove(): void;
}
