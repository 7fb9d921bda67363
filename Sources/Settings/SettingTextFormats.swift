import Bundle
import Glibc

/// The 4 or 16 bytes of an IP address, in the order of the network; `nil` for another text. See inet_pton(3).
public func ipAddressBytes(_ text: String) -> [UInt8]? {
  var bytes = [UInt8](repeating: 0, count: 16)
  if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes[..<4]) }
  return inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : nil
}

private func isIPAddress(_ text: String) -> Bool { ipAddressBytes(text) != nil }

/// The formats of settings that are texts.
extension SettingFormat<String> {
  /// Texts that a function accepts and brings into canonical form.
  private static func words(
    _ accepts: String, choices: [String] = [], _ canonical: @escaping @Sendable (String) -> String?
  ) -> Self {
    Self(accepts: accepts, choices: choices, parse: canonical, text: { $0 })
  }

  /// A text of one line.
  static func line(_ accepts: String) -> Self {
    words(accepts) { $0.isEmpty || hasControls($0) ? nil : $0 }
  }

  /// Any text, lines and all.
  static let any = words("a text") { $0 }

  /// The name of an Ansible variable.
  static let variable = words("the name of a variable") {
    $0.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) == nil ? nil : $0
  }

  /// An architecture by its name in image references or by the one `uname -m` prints.
  static let architecture = words("amd64 (x86_64) or arm64 (aarch64)", choices: ["amd64", "arm64"]) {
    switch $0 {
    case "amd64", "x86_64": "amd64"
    case "arm64", "aarch64": "arm64"
    default: nil
    }
  }

  /// What a target machine is: Linux on an architecture.
  static let machinePlatform = words("linux/amd64 or linux/arm64") { text in
    let words = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard words.count <= 2, words.count == 1 || words[0] == "linux" else { return nil }
    return words.last.flatMap { architecture.parse($0) }.map { "linux/\($0)" }
  }

  /// An address to listen on.
  static let address = words("an IPv4 or IPv6 address such as 192.0.2.10") {
    isIPAddress($0) ? $0 : nil
  }

  /// How a host is reached: an address or a name.
  static let hostAddress = words("an IP address or a host name") { text in
    if isIPAddress(text) { return text }
    let isName =
      text.wholeMatch(of: /[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*/)
      != nil
    // 10.0.0.300 is a mistyped address, not a name.
    let isNumber = text.allSatisfy { $0.isNumber || $0 == "." }
    return isName && !isNumber ? text : nil
  }

  /// The full name of an image.
  static func image(_ what: String) -> Self {
    words("\(what) such as registry.example.com/team/ansible:1.0") { try? ImageReference($0).description }
  }

  /// The image with Ansible. A word by itself would be an image of Docker Hub; this one is not.
  static let ansibleImage = words(
    "\"\(Configuration.Python.assembled)\" or an image such as registry.example.com/team/ansible:1.0"
  ) {
    $0 == Configuration.Python.assembled ? $0 : try? ImageReference($0).description
  }

  /// Where an image runs.
  static let platform = words("platforms such as linux/amd64 or linux/arm/v7") { text in
    text.wholeMatch(of: /[a-z0-9]+\/[a-z0-9_]+(\/[a-z0-9.]+)?/) == nil ? nil : text
  }

  /// The releases whose packages are carried. Whether one is supported is the business of who collects them.
  static let packageTarget = words("\"host\" or releases such as debian-12, ubuntu-24.04 or rocky-9") {
    $0 == "host" ? $0 : releaseName($0)
  }

  /// One release of a distribution.
  static func release(of examples: String) -> Self {
    words("a release such as \(examples)") { releaseName($0) }
  }

  /// A minor version of Python 3.
  static let pythonVersion = words("versions of Python such as 3.12") {
    $0.wholeMatch(of: /3\.[1-9][0-9]?/) == nil ? nil : $0
  }

  /// A requirement without spaces (PEP 508 allows to leave them out).
  static let requirement = words("requirements such as ruamel.yaml or cython<3, without spaces") {
    $0.wholeMatch(of: /[A-Za-z0-9][^\s]*/) == nil || hasControls($0) ? nil : $0
  }

  /// What can be checked out of kubespray's repository, by the rules of the shell project's get-kubespray.sh; or several
  /// of them.
  static let kubesprayVersion = words(
    "latest, a release such as 2.30.0, master, a branch such as release-2.30, or a commit hash (7 to 40 digits); or several, "
      + "with commas between them"
  ) { text in
    let names = text.split(separator: ",", omittingEmptySubsequences: false).map { kubesprayName(String($0)) }
    return names.contains(nil) ? nil : names.compactMap(\.self).joined(separator: ",")
  }

  private static func kubesprayName(_ text: String) -> String? {
    if text == "latest" || text == "master" || text.wholeMatch(of: /release-[0-9]+\.[0-9]+/) != nil {
      return text
    }
    if text.wholeMatch(of: /[0-9A-Fa-f]{7,40}/) != nil { return text.lowercased() }
    return withoutV(text)
  }

  /// The version of a program that is released on GitHub.
  static let release = words("a version such as 1.3.4") { withoutV($0) }

  /// The tag of an image (OCI distribution-spec, "Pulling manifests").
  static let tag = words("an image tag such as 1.29.4") {
    $0.wholeMatch(of: /[A-Za-z0-9_][A-Za-z0-9._-]{0,127}/) == nil ? nil : $0
  }

  /// A host name or address with an optional port, in lower case.
  static let host = words("host names such as registry.example.com:5000") { hostAndPort($0) }

  /// A registry and an optional path in it. A scheme and slashes at the end, as addresses are copied, are left out: whether
  /// TLS is spoken is not said here.
  static let registryAddress = words("HOST, HOST:PORT or HOST:PORT/PATH without http://") { written in
    var text = written[...]
    for scheme in ["https://", "http://"] where text.hasPrefix(scheme) { text = text.dropFirst(scheme.count) }
    while text.hasSuffix("/") { text = text.dropLast() }
    let slash = text.firstIndex(of: "/") ?? text.endIndex
    guard let host = hostAndPort(String(text[..<slash])) else { return nil }
    return text[slash...].wholeMatch(of: /(\/[a-z0-9]+([._-]+[a-z0-9]+)*)*/) == nil
      ? nil : host + text[slash...]
  }

  /// The base of URLs, without query and without a slash at the end.
  static let baseURL = words("a URL that begins with http:// or https://, without ? and #") { text in
    guard let match = text.wholeMatch(of: /(https?:\/\/[^\s\/?#]+(\/[^\s?#]*?)?)\/*/), !hasControls(text)
    else {
      return nil
    }
    return String(match.1)
  }

  /// A proxy as curl takes it (curl(1), `--proxy`), unless a bare special character leaves open where the login ends.
  static let proxy = words(
    "a proxy such as http://proxy.example.com:3128; special characters of a login must be percent-encoded (%40 for @)"
  ) { text in
    let form =
      /((http|https|socks4|socks4a|socks5|socks5h):\/\/)?([^\s\/\\@#?]+@)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:([0-9]{1,5}))?\/?/
    guard !hasControls(text), let match = text.wholeMatch(of: form) else { return nil }
    if let port = match.6 { guard (1...65535).contains(Int(port) ?? 0) else { return nil } }
    return text
  }
}

/// `X.Y.Z` with an optional `v` in front, which is dropped, and an optional pre-release.
private func withoutV(_ text: String) -> String? {
  text.wholeMatch(of: /v?([0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?)/).map { String($0.1) }
}

/// `ID-VERSION` in lower case: the ID as os-release(5) allows it.
private func releaseName(_ text: String) -> String? {
  let lowered = text.lowercased()
  return lowered.wholeMatch(of: /[a-z][a-z0-9._-]*-[0-9]+(\.[0-9]+)?/) == nil ? nil : lowered
}

/// An IPv6 address stands in brackets (RFC 3986, section 3.2.2).
private func hostAndPort(_ text: String) -> String? {
  let lowered = text.lowercased()
  let form = /([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f]*:[0-9a-f:.]*\])(:([0-9]{1,5}))?/
  guard let match = lowered.wholeMatch(of: form) else { return nil }
  if let port = match.4 { guard (1...65535).contains(Int(port) ?? 0) else { return nil } }
  return lowered
}
