/** The npm package `dhcp` has no types; who imports it parses what it gets. */
declare module 'dhcp/lib/options.js' {
  const module: unknown;
  export default module;
}
