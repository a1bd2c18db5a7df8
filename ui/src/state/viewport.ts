/**
 * Where a picture lies in the viewer: zoom, pan and their limits. Pure numbers.
 *
 * `zoom` is screen pixels per picture pixel in the unit of `Size` given for the box, so that with
 * a box in device pixels a zoom of 1 is "100 %": one picture pixel on one pixel of the screen.
 */
export interface Size {
  width: number;
  height: number;
}

/** What is seen: the zoom, and the picture point (in picture pixels) in the middle of the box. */
export interface View {
  zoom: number;
  x: number;
  y: number;
}

/** The picture in the box: left upper corner and size, in the unit of the box. */
export interface Placement extends Size {
  left: number;
  top: number;
}

export const MAX_ZOOM = 16;

/** The zoom at which the whole picture is seen; a picture smaller than the box is enlarged to 4 at most. */
export function fitZoom(box: Size, picture: Size): number {
  if (box.width <= 0 || box.height <= 0 || picture.width <= 0 || picture.height <= 0) return 1;
  return Math.min(box.width / picture.width, box.height / picture.height, 4);
}

/** The whole picture, centred. */
export function fitView(box: Size, picture: Size): View {
  return { zoom: fitZoom(box, picture), x: picture.width / 2, y: picture.height / 2 };
}

function clampAxis(centre: number, box: number, picture: number, zoom: number): number {
  const half = box / zoom / 2;
  // Smaller than the box: centred. Larger: no gap at either edge.
  if (half * 2 >= picture) return picture / 2;
  return Math.min(Math.max(centre, half), picture - half);
}

/** `view` within its limits: never farther than "fit" or a quarter, never past an edge. */
export function clampView(view: View, box: Size, picture: Size): View {
  const least = Math.min(fitZoom(box, picture), 0.25);
  const zoom = Math.min(Math.max(view.zoom, least), MAX_ZOOM);
  return {
    zoom,
    x: clampAxis(view.x, box.width, picture.width, zoom),
    y: clampAxis(view.y, box.height, picture.height, zoom),
  };
}

/** Zooms to `zoom` and keeps the picture point under `at` (in the box) where it is. */
export function zoomTo(
  view: View,
  zoom: number,
  at: { x: number; y: number },
  box: Size,
  picture: Size,
): View {
  const limited = clampView({ ...view, zoom }, box, picture).zoom;
  const dx = at.x - box.width / 2;
  const dy = at.y - box.height / 2;
  return clampView(
    {
      zoom: limited,
      x: view.x + dx / view.zoom - dx / limited,
      y: view.y + dy / view.zoom - dy / limited,
    },
    box,
    picture,
  );
}

/** Moves the picture by `dx`, `dy` in the unit of the box. */
export function pan(view: View, dx: number, dy: number, box: Size, picture: Size): View {
  return clampView(
    { zoom: view.zoom, x: view.x - dx / view.zoom, y: view.y - dy / view.zoom },
    box,
    picture,
  );
}

/** Whether the picture is larger than the box in some direction. */
export function canPan(view: View, box: Size, picture: Size): boolean {
  return picture.width * view.zoom > box.width + 0.5 || picture.height * view.zoom > box.height + 0.5;
}

/** Where the picture lies. */
export function place(view: View, box: Size, picture: Size): Placement {
  return {
    left: box.width / 2 - view.x * view.zoom,
    top: box.height / 2 - view.y * view.zoom,
    width: picture.width * view.zoom,
    height: picture.height * view.zoom,
  };
}
