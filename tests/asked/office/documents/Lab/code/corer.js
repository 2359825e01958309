/**
 * Helpers for the descriptions of peat cores.
 * @author Milo Prentice
 * @license MIT
 */

/** Length of one drive of the Russian corer in centimetres. */
export const DRIVE_CM = 50;

/** Two drives overlap by this many centimetres, so that no layer is lost between them. */
export const OVERLAP_CM = 10;

/**
 * Number of drives that are needed for a core of the given depth.
 * @param {number} depth depth of the peat in centimetres
 * @returns {number} drives, at least 1
 * @example drives(300) // 8
 */
export function drives(depth) {
  return Math.max(1, Math.ceil((depth - OVERLAP_CM) / (DRIVE_CM - OVERLAP_CM)));
}

/**
 * Turns a step of the von Post scale into a word.
 * H1 to H3 are "fresh", H4 to H6 "moderate", H7 to H10 "strong".
 * @throws {RangeError} if the step is not between 1 and 10
 */
export function decayWord(step) {
  if (step < 1 || step > 10) throw new RangeError("von Post step " + step);
  return step <= 3 ? "fresh" : step <= 6 ? "moderate" : "strong";
}

/**
 * Age of a layer by linear interpolation between dated layers.
 * Ages below the lowest dated layer are not extrapolated: null is returned.
 * The surface counts as the year of the coring, not as 1950.
 */
export function ageAt(depth, dated) {
  const sorted = [...dated].sort((a, b) => a.depth - b.depth);
  for (let i = 1; i < sorted.length; i++) {
    const [a, b] = [sorted[i - 1], sorted[i]];
    if (depth >= a.depth && depth <= b.depth) {
      return a.age + ((depth - a.depth) / (b.depth - a.depth)) * (b.age - a.age);
    }
  }
  return null;
}
