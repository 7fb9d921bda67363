import FoundationEssentials
import Integrity
import SystemPackage

@testable import Bundle
@testable import Settings
@testable import YAML

/// Readers of what a bundle says of itself.
let bundleReaders = [
  Reader("bundle-manifest") { bytes in
    try holdSameDecoding(bytes)
    guard let manifest = try? Manifest(decoding: bytes) else { return }
    for file in manifest.files {
      try check(file.path)
      try hold(file.size >= 0, "the size of \(file.path) is possible")
    }
    try hold(ByteSize.range.contains(manifest.totalSize), "the sum of the sizes is possible")
    let written = try manifest.encoded()
    try hold((try? Manifest(decoding: written)) == manifest, "a manifest that is written reads the same")
    try hold(written == encodedByFoundation(manifest), "a manifest is written as Foundation's encoder does")
  },
  Reader("json-syntax") { bytes in
    // Deeper than a manifest, to see how far a stack carries.
    guard (try? JSONSyntax.check(bytes, depth: 400)) != nil else { return }
    try hold(String(validating: bytes, as: UTF8.self) != nil, "JSON is UTF-8")
    _ = try? JSONDecoder().decode(Manifest.self, from: Data(bytes))
  },
  Reader(text: "bundle-path") { text in
    guard let path = try? BundlePath(text) else { return }
    try check(path)
    try holdReading(of: path, path.description) { try BundlePath($0) }
  },
  Reader(text: "image-reference") { text in
    guard let reference = try? ImageReference(text) else { return }
    try holdReading(of: reference, reference.description) { try ImageReference($0) }
    if let path = try? reference.archivePath() { try check(path) }
    let pushed = ImageReference.pushRepository(
      registry: reference.registry, repository: reference.repository,
      strippedRegistries: ImageReference.strippedRegistries)
    try hold(!pushed.isEmpty && !pushed.contains(".."), "what is pushed has a name: \(pushed)")
  },
  Reader(text: "digest") { text in
    _ = ByteSize.parse(text)
    _ = WeakChecksum(text)
    guard let digest = try? Digest(text) else { return }
    try holdReading(of: digest, digest.description) { try Digest($0) }
    try hold(digest.hex.utf8.allSatisfy { "0123456789abcdef".utf8.contains($0) }, "a digest is hexadecimal")
  },
]

/// What our own reader understands of a manifest, Foundation's decoder understands alike.
private func holdSameDecoding(_ bytes: [UInt8]) throws {
  guard (try? JSONSyntax.check(bytes, depth: 12)) != nil, let quick = Manifest.quickly(bytes) else { return }
  try hold(
    quick == (try? Manifest.decoded(bytes, "input")), "a manifest is what Foundation's decoder makes of it")
}

private func encodedByFoundation(_ manifest: Manifest) throws -> [UInt8] {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  return Array(try encoder.encode(manifest)) + [UInt8(ascii: "\n")]
}

private func check(_ path: BundlePath) throws {
  let parts = path.description.split(separator: "/", omittingEmptySubsequences: false)
  let isInside = !path.description.hasPrefix("/") && !parts.contains { ["", ".", ".."].contains($0) }
  try hold(isInside && !path.description.contains("\0"), "a path stays in the bundle: \(path)")
  let place = FilePath("/bundle").pushing(FilePath(path.description)).lexicallyNormalized()
  try hold(place.starts(with: "/bundle") && place != "/bundle", "a path stays in the bundle: \(path)")
}

/// Readers of settings and other texts that people write.
let textReaders = [
  Reader("yaml") { bytes in
    for rule in [YAMLDuplicateKeys.refused, .lastWins] {
      guard let node = try? YAML.parse(bytes: bytes, source: "input", duplicateKeys: rule) else { continue }
      try hold(node.weight <= YAMLLimits.default.nodes, "a document is bounded")
      try hold(node.height <= YAMLLimits.default.depth, "a document is not deeper than allowed")
    }
    let text = String(decoding: bytes, as: UTF8.self)
    for written in [YAML.quoted(text), YAML.scalar(text)] {
      try holdReading(of: text, written) { try YAML.parse($0, source: "")?.string ?? "" }
    }
  },
  Reader("config-yml") { bytes in
    _ = try? Configuration.resolve(document: bytes, environment: [:])
  },
  Reader(text: "config-sh") { text in
    let assignments = ShellAssignments(text, environment: ["HOME": "/root", "REGISTRY_PORT": "35000"])
    for name in assignments.values.keys {
      try hold(assignments.line(name) ?? 0 > 0, "an assignment has a line")
      _ = assignments.text(name)
    }
    try hold(
      assignments == ShellAssignments(text, environment: ["HOME": "/root", "REGISTRY_PORT": "35000"]),
      "a script says the same each time")
  },
]
