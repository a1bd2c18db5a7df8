/**
 * Text as it is looked for: small letters without accents. Vietnamese đ is a letter of its own and
 * not a d with a mark, so that Unicode does not take it apart; whoever types `da` means `đá`, too.
 */
export function folded(text: string): string {
  return text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/đ/g, 'd')
    .replace(/Đ/g, 'd')
    .replace(/œ/gi, 'oe')
    .replace(/æ/gi, 'ae')
    .replace(/ß/g, 'ss')
    .toLowerCase();
}
