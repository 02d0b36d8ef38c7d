export const words = {
};
