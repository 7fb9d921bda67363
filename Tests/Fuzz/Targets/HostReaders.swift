import Files
import FoundationEssentials
import SystemPackage

@testable import Console
@testable import Host
@testable import TargetSetup
@testable import Transfer

/// Readers of what lies on the host, where others write too.
let hostReaders = [
  Reader("json-object-text") { bytes in
    guard let object = try? JSONObjectText(bytes) else { return }
    let key = "insecure-registries"
    guard let added = try? object.adding("10.0.0.1:35000", to: key) else { return }
    guard let again = try? JSONObjectText(added) else {
      throw Broken(description: "not kept: an object with an addition is an object")
    }
    guard let names = again.names(of: key) else {
      throw Broken(description: "not kept: what was added is there")
    }
    try hold(names.contains("10.0.0.1:35000"), "what was added is there")
    try hold(Set(names).isSuperset(of: object.names(of: key) ?? []), "what was there before is there")
    // What is added is only added: every other byte stays, in its order.
    var rest = added[...]
    let before = (object.names(of: key) ?? []).isEmpty ? [] : bytes
    for byte in before {
      guard let place = rest.firstIndex(of: byte) else {
        throw Broken(description: "not kept: \(byte) stays")
      }
      rest = rest[(place + 1)...]
    }
    let removed = again.replacing(names.filter { $0 != "10.0.0.1:35000" }, of: key)
    try hold((try? JSONObjectText(removed)) != nil, "an object without it is an object")
  },
  Reader(text: "registries-conf") { text in
    guard let registries = try? RegistriesConfiguration(text) else { return }
    for name in ["docker.io", "10.0.0.1:35000", ""] {
      _ = (registries.entry(of: name), registries.parts(of: name))
    }
  },
  Reader("toml") { bytes in
    guard let document = try? TOMLValue(parsing: bytes) else { return }
    guard case .table = document else { throw Broken(description: "a document is a table") }
  },
  Reader("journal") { bytes in
    let files = parts(bytes)
    let pairs = files.count > 1 ? [(files[0], files[1])] : [(bytes, nil), (bytes, bytes)]
    for (journal, copy) in pairs {
      guard let content = try? JournalContent(journal: journal, copy: copy) else { continue }
      try hold(content.length <= journal.count, "a journal is not longer than its file")
      // The file and its copy with one more line say the same and one more.
      guard content.missing.isEmpty,
        let added = try? content.adding([JournalEntry(.note, "x")]), added.whole == nil
      else { continue }
      let whole = Array(journal.prefix(content.length)) + added.lines
      let again = try? JournalContent(journal: whole, copy: added.copy)
      try hold(again?.entries.count == content.entries.count + 1, "a line that was added is read")
    }
  },
  Reader("journal-line") { bytes in
    guard let read = try? JournalLine.decode(bytes, number: 1, after: nil) else { return }
    let line = try JournalLine.encode(read.entry, number: 1, after: "")
    let again = try? JournalLine.decode(line.bytes, number: 1, after: "")
    try hold(again?.checksum == line.checksum, "a line that is written is read")
  },
  Reader(file: "trust-memory") { file in
    guard let memory = try? TrustMemory.read(file) else { return }
    try memory.write(to: file)
    try hold((try? TrustMemory.read(file)) == memory, "what this host remembers reads the same")
  },
  Reader(file: "tree-stamp") { file in
    let tree = file.removingLastComponent()
    try moveFile(file, to: tree.appending(TreeStamp.fileName))
    guard let stamp = TreeStamp.read(in: tree) else { return }
    try writeAtomically(try stamp.bytes(), to: tree.appending(TreeStamp.fileName))
    try hold(TreeStamp.read(in: tree) == stamp, "a stamp reads the same")
  },
  Reader("stored-file") { bytes in
    _ = StoredFile(created: bytes)
    var fields = HTTPFields()
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      fields.append(line: String(line))
    }
    _ = StoredFile(ResponseHead(status: 200, fields: fields, origin: nil))
  },
  Reader(text: "store-address") { text in
    guard let address = try? StoreAddress(text), let url = try? TransferURL(address.url(of: "files/a b/ä?#%"))
    else { return }
    try hold(url.origin == address.base.origin, "a file lies in the store that was named")
  },
  Reader(text: "registry-config") { text in
    guard var configuration = try? RegistryConfiguration(text) else { return }
    try? configuration.setSecret("secret")
    guard (try? configuration.setWritable(false)) != nil else { return }
    try hold(
      (try? RegistryConfiguration(configuration.text)) != nil, "settings that were changed are settings")
  },
  Reader(text: "shell-inventory") { text in
    let inventory = ShellInventory(
      downloads: text, files: ["files/kubelet", "files/runc/v1.3.4/runc.amd64"], version: "2.30.0",
      stripped: ["docker.io", "quay.io"])
    try hold(inventory.text.contains("registry_host"), "an inventory names the registry")
  },
  Reader(text: "os-release") { text in _ = OSRelease.parse(text) },
  Reader(text: "terminal") { text in
    for shown in [DisplayText.clean(text), DisplayText.escapingJSON(text)] {
      let isSafe = shown.unicodeScalars.allSatisfy {
        $0 == "\n"
          || !($0.value < 0x20 || (0x7f...0x9f).contains($0.value) || (0x202a...0x202e).contains($0.value))
      }
      try hold(isSafe, "no text commands a terminal")
    }
    _ = DisplayText.width(text)
    try hold(
      DisplayText.width(DisplayText.truncate(text, to: 20)) <= 20, "a text is as short as it was to be")
  },
]
