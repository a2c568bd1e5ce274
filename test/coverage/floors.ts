/**
 * The statements of `src`, in percent, that must be executed: by the tests without a rig, and in the bundle by what runs
 * on the rigs. They are some points below what was measured, since not every run takes the same ways; a commit that raises the
 * coverage raises them.
 */
export const coverageFloors = { unit: 53, bundle: 66 };
