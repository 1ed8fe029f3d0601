// SPDX-License-Identifier: Apache-2.0
// The bundler takes style sheets out of imports; to TypeScript they are nothing.
declare module '*.css';
