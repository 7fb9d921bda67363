import Files

/// The text with the password of a URL replaced by `***`, for everything that is shown or written down.
///
/// Proxies and git URLs carry them as `user:password@host`, hosting services also as `token@host`. When in
/// doubt more is hidden, never less.
public func maskingSecrets(in text: String) -> String { maskingQuerySecrets(in: maskingLogin(in: text)) }

private func maskingLogin(in text: String) -> String {
  let scheme = text.firstRange(of: "://")
  let start = scheme?.upperBound ?? text.startIndex
  guard let at = text[start...].lastIndex(of: "@") else { return text }
  let user = text[start..<at]
  let tail = text[at...]
  if let colon = user.firstIndex(of: ":") { return text[...colon] + "***" + tail }
  let isWeb = text[..<start].lowercased().hasPrefix("http")
  return isWeb && !user.contains("/") ? text[..<start] + "***" + tail : text
}
