import Glibc

/// A locale in which names are UTF-8. Not Sendable by itself as it is a pointer; glibc never changes a
/// locale object that has been made, and this one is never freed.
private nonisolated(unsafe) let utf8Locale: locale_t? = newlocale(LC_CTYPE_MASK, "C.UTF-8", nil)

/// Runs `body` with this thread's character encoding set to UTF-8 and puts the former one back.
///
/// libarchive converts names by way of the locale, and in the C locale, which a program has until it asks for
/// another, refuses those that are not ASCII. `uselocale` concerns this thread only, so nothing else notices.
func withUTF8Names<Result>(_ body: () throws -> Result) rethrows -> Result {
  guard let utf8Locale else { return try body() }
  let former = uselocale(utf8Locale)
  defer { uselocale(former) }
  return try body()
}
