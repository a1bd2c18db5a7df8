import { describe, expect, it } from 'vitest';
import { canPan, clampView, fitView, fitZoom, MAX_ZOOM, pan, place, zoomTo } from './viewport';

const box = { width: 800, height: 600 };
const picture = { width: 1920, height: 1080 };

describe('the viewer', () => {
  it('shows the whole picture when fitted', () => {
    const spot = place(fitView(box, picture), box, picture);
    expect(spot.left).toBeCloseTo(0);
    expect(spot.width).toBeCloseTo(800);
    expect(spot.top).toBeCloseTo((600 - 450) / 2);
  });

  it('keeps the point under the pointer where it is while zooming', () => {
    const at = { x: 620, y: 260 };
    const before = fitView(box, picture);
    const spot = place(before, box, picture);
    const pointX = (at.x - spot.left) / before.zoom;
    const after = zoomTo(before, 2, at, box, picture);
    const moved = place(after, box, picture);
    expect(moved.left + pointX * after.zoom).toBeCloseTo(at.x);
  });

  it('never shows a gap beside a picture that is larger than the box', () => {
    let view = zoomTo(fitView(box, picture), 1, { x: 400, y: 300 }, box, picture);
    view = pan(view, 100_000, -100_000, box, picture);
    const spot = place(view, box, picture);
    expect(spot.left).toBeCloseTo(0);
    expect(spot.top + spot.height).toBeCloseTo(box.height);
  });

  it('centres a picture that is smaller than the box, however it is moved', () => {
    const small = { width: 100, height: 50 };
    const view = pan({ zoom: 1, x: 50, y: 25 }, 300, 300, box, small);
    expect(place(view, box, small)).toEqual({ left: 350, top: 275, width: 100, height: 50 });
    expect(canPan(view, box, small)).toBe(false);
  });

  it('limits the zoom on both ends', () => {
    expect(clampView({ zoom: 1000, x: 0, y: 0 }, box, picture).zoom).toBe(MAX_ZOOM);
    expect(clampView({ zoom: 0.0001, x: 0, y: 0 }, box, picture).zoom).toBe(0.25);
  });

  it('has a zoom before it has a size', () => {
    expect(fitZoom({ width: 0, height: 0 }, picture)).toBe(1);
  });
});
