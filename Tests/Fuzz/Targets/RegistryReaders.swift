import FoundationEssentials
import Integrity
import SystemPackage

@testable import Registry
@testable import Transfer

/// Readers of the documents that make an image.
let imageReaders = [
  Reader("image-manifest") { bytes in
    for type in [MediaType.ociManifest, .ociIndex, .dockerManifest, .dockerManifestList] {
      guard let content = try? ManifestContent(bytes, mediaType: type) else { continue }
      try hold(
        content == (try? ManifestContent(bytes, mediaType: type)), "a manifest says the same each time")
      switch content {
      case .manifest(let manifest): try check(manifest, [manifest.config] + manifest.layers)
      case .index(let index): try check(index, index.manifests)
      }
    }
    _ = try? ManifestContent.mediaType(of: bytes, announced: .ociManifest)
  },
  Reader("image-configuration") { bytes in
    guard let configuration = try? ImageConfiguration(bytes) else { return }
    _ = configuration.platform.fitness(of: Platform(os: "linux", architecture: "arm64", variant: "v8"))
  },
  Reader(text: "platform") { text in
    guard let platform = try? Platform(parsing: text) else { return }
    try holdReading(of: platform, "\(platform)") { try Platform(parsing: $0) }
    try hold(platform.fitness(of: platform) != nil, "a platform runs its own images")
  },
]

private func check<Document: Codable & Equatable>(_ document: Document, _ parts: [Descriptor]) throws {
  for part in parts { try hold(ByteSize.range.contains(part.size), "the size of \(part.digest) is possible") }
  let again = try? JSONDecoder().decode(Document.self, from: Data(ImageLayout.encode(document)))
  try hold(again == document, "a manifest that is written reads the same")
}

/// Readers of what registries answer, and of what leads to them.
let registryReaders = [
  Reader(text: "challenge") { text in
    let fields = text.split(separator: "\n").map(String.init)
    let challenges = AuthenticationChallenge.parse(fields)
    try hold(challenges == AuthenticationChallenge.parse(fields), "a challenge says the same each time")
    try hold(challenges.allSatisfy { !$0.scheme.isEmpty }, "a challenge has a scheme")
  },
  Reader("registry-answer") { bytes in
    if let token = TokenRequest.token(of: bytes) {
      try hold(token.text.utf8.allSatisfy { (0x21...0x7e).contains($0) }, "a token fits into a field")
      try hold(token.lifetime > .zero, "a token lives")
    }
    let body = RegistryErrorBody(bytes)
    let isSafe = body.words.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f }
    try hold(isSafe && body.words.count <= 202, "what a registry says has one short line")
    var fields = HTTPFields()
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      fields.append(line: String(line))
    }
    if let limit = RateLimit(fields) { _ = "\(limit) \(limit.scarcity)" }
  },
  Reader(file: "credentials") { file in
    guard let credentials = try? CredentialFile(file) else { return }
    for registry in ["docker.io", "quay.io", "localhost:5000"] {
      _ = credentials.entries(registry: registry, repository: "library/nginx") { _ in }
    }
  },
  Reader(text: "push-target") { text in
    guard let target = try? PushTarget(text) else { return }
    try holdReading(of: target.host, "\(target)") { try PushTarget($0).host }
    try holdReading(of: target.path, "\(target)") { try PushTarget($0).path }
  },
]

/// Readers of what any server answers.
let transferReaders = [
  Reader(text: "http-fields") { text in
    var fields = HTTPFields()
    for line in text.split(separator: "\n") { fields.append(line: String(line)) }
    for status in [200, 206] {
      let head = ResponseHead(status: status, fields: fields, origin: nil)
      try hold(head.totalSize.map(ByteSize.range.contains) ?? true, "a size is possible")
      try hold((head.retryAfter(now: 1_800_000_000) ?? .zero) >= .zero, "nobody waits for the past")
      for (offset, sizes) in [(Int64(0), [Int64]()), (100, [200])] {
        let expected = ContentExpectation(
          url: "https://example.com/a.tgz", offset: offset, validator: head.rangeValidator, sizes: sizes,
          isProved: offset == 0)
        guard let size = try? expected.check(head) else { continue }
        try hold(ByteSize.range.contains(size), "an expected size is possible")
        try hold(sizes.allSatisfy { $0 == size }, "an expected size is the one that is known")
      }
    }
  },
  Reader(text: "content-range") { text in
    guard let range = ContentRange(text) else { return }
    try hold(range.first >= 0 && range.first <= range.last && range.count > 0, "a range has bytes")
    try hold(range.total.map { $0 > range.last } ?? true, "a range lies within the whole")
  },
  Reader(text: "url") { text in
    let lines = text.split(separator: "\n", maxSplits: 1).map(String.init)
    guard let first = lines.first, let url = try? TransferURL(first) else { return }
    try hold(["http", "https"].contains(url.origin.scheme), "a URL has one of two schemes")
    try hold((1...65535).contains(url.origin.port), "a port is possible")
    try holdReading(of: url.origin, url.redacted) { try TransferURL($0).origin }
    guard lines.count > 1, let target = url.resolving(lines[1]) else { return }
    try hold(["http", "https"].contains(target.origin.scheme), "a redirect leads to one of two schemes")
  },
]
