// SPDX-License-Identifier: Apache-2.0
// A dialog takes the keyboard when it opens and gives it back where it was when it closes.

import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

export function useFocus(on: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const before = document.activeElement;
    on.current?.focus();
    return () => before instanceof HTMLElement && before.isConnected ? before.focus({ preventScroll: true }) : undefined;
  }, []);
}
