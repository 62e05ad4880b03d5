import { nextTick, type Ref, type WatchSource, watch } from 'vue';

/** So near to its end, in pixels, a box counts as being there. */
const nearEnd = 50;

/** Keeps the end of what is shown in a box in sight while it grows. Who has scrolled up to read stays there. */
export function useFollowedEnd(
  box: Readonly<Ref<HTMLElement | null>>,
  content: WatchSource,
  follows: () => boolean = () => true,
): void {
  watch(
    content,
    async () => {
      const before = box.value;
      const atEnd = !before || before.scrollHeight - before.scrollTop - before.clientHeight < nearEnd;
      await nextTick();
      if (atEnd && follows() && box.value) box.value.scrollTop = box.value.scrollHeight;
    },
    { flush: 'pre' },
  );
}
