import Bundle
import Files
import Foundation
import Host
import Integrity
import Settings
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

/// What can happen to a file of a bundle on its way, with the size kept or not.
enum Tampering: String, CaseIterable, Sendable {
  case otherByte, shorter, longer, deleted, linkInPlace, folderIsLink, pipe

  /// Does it to a file that lies in a folder of the bundle.
  func apply(_ path: String, in bundle: FilePath) throws {
    let place = bundle.pushing(FilePath(path))
    let bytes = try readBytes(place)
    switch self {
    case .otherByte: try writeAtomically(bytes.dropLast() + [(bytes.last ?? 0) ^ 1], to: place)
    case .shorter: try writeAtomically(Array(bytes.dropLast()), to: place)
    case .longer: try writeAtomically(bytes + [10], to: place)
    case .deleted: try removeFile(place)
    case .linkInPlace:
      // The content is right: where it lies is not.
      let elsewhere = bundle.removingLastComponent().appending("elsewhere")
      try writeAtomically(bytes, to: elsewhere)
      try removeFile(place)
      try createLink(place, to: elsewhere.string)
    case .folderIsLink:
      let (folder, elsewhere) = (place.removingLastComponent(), bundle.removingLastComponent().appending("x"))
      try moveFile(folder, to: elsewhere)
      try createLink(folder, to: elsewhere.string)
    case .pipe:
      try removeFile(place)
      guard mkfifo(place.string, 0o644) == 0 else { throw Errno(rawValue: errno) }
    }
  }
}

@Suite("The door to a bundle")
struct BundleDoorTests {
  private func withBundle(_ body: (FilePath) throws -> Void) throws {
    try withFolder { folder in
      let bundle = folder.appending("bundle")
      try put("the right bytes\n", at: bundle.appending("files/deep/tool"))
      try body(bundle)
    }
  }

  @Test("a file that is as the manifest says is read and copied")
  func intact() throws {
    try withBundle { folder in
      let bundle = ArrivedBundle.intact(folder)
      let read = try bundle.text("files/deep/tool")
      #expect(read == "the right bytes\n")
      let copy = folder.removingLastComponent().appending("copy")
      #expect(try bundle.copy("files/deep/tool", to: copy, permissions: .ownerReadWrite) == 16)
      #expect(text(copy) == "the right bytes\n")
      #expect((try? FileInfo(copy))?.permissions == .ownerReadWrite)
    }
  }

  @Test(
    "one that is not is refused by its name, and a copy that was there stays", arguments: Tampering.allCases)
  func tampered(_ how: Tampering) throws {
    try withBundle { folder in
      let bundle = ArrivedBundle.intact(folder)
      #expect(try bundle.text("files/deep/tool") == "the right bytes\n")
      try how.apply("files/deep/tool", in: folder)
      let copy = folder.removingLastComponent().appending("copy")
      try put("older\n", at: copy)
      for attempt: () throws -> Void in [
        { _ = try bundle.bytes("files/deep/tool") }, { try bundle.copy("files/deep/tool", to: copy) },
      ] {
        let error = #expect(throws: StepError.self) { try attempt() }
        #expect(error?.detail.contains("files/deep/tool") == true, "\(String(describing: error))")
      }
      #expect(text(copy) == "older\n")
      #expect(try listFolder(copy.removingLastComponent()).allSatisfy { !$0.hasSuffix(".tmp") })
    }
  }

  @Test("what the manifest does not list is not there, wherever it lies")
  func unlisted() throws {
    try withBundle { folder in
      let bundle = ArrivedBundle.intact(folder)
      try put("x", at: folder.appending("files/other"))
      #expect(try bundle.files(below: "files") == ["files/deep/tool"])
      for path in ["files/other", "files", "../bundle/files/deep/tool", "/etc/passwd", ""] {
        #expect(throws: StepError.self) { try bundle.bytes(path) }
        #expect(try !bundle.has(path))
      }
      let error = #expect(throws: StepError.self) { try bundle.refuseUnexpected(below: ["files", "debs"]) }
      #expect(error?.detail.contains("does not list: files/other") == true)
    }
  }

  @Test("a folder of the bundle that is a link is unexpected itself")
  func linkedFolder() throws {
    try withBundle { folder in
      let bundle = ArrivedBundle.intact(folder)
      try moveFile(folder.appending("files"), to: folder.removingLastComponent().appending("elsewhere"))
      try createLink(folder.appending("files"), to: "../elsewhere")
      let error = #expect(throws: StepError.self) { try bundle.refuseUnexpected(below: ["files"]) }
      #expect(error?.detail.hasSuffix(": files") == true)
    }
  }

  @Test("without a manifest there is no bundle, and nothing of the folder is used")
  func unfinished() throws {
    try withBundle { folder in
      let bundle = ArrivedBundle(folder, manifest: nil)
      for attempt: () throws -> Void in [
        { _ = try bundle.files(below: "files") }, { _ = try bundle.bytes("files/deep/tool") },
      ] {
        let error = #expect(throws: StepError.self) { try attempt() }
        #expect(error?.kind == .finishBundle)
      }
    }
  }
}

@Suite("Settings of a bundle")
struct BundleSettingsTests {
  private func current(_ bundle: FilePath) throws -> SetupContext {
    try SetupContext.current(bundle: bundle, configFiles: [], environment: [:], flags: [:]) { _ in }
  }

  @Test("config.yml counts as the manifest says, and in no other way")
  func settings() throws {
    try withFolder { bundle in
      try put("nginx:\n  port: 8081\n", at: bundle.appending("config.yml"))
      // Without a manifest it is nobody's word.
      var port = try current(bundle).configuration.nginx.port
      #expect(port == 80)
      try Manifest.describing(bundle).save(to: bundle)
      port = try current(bundle).configuration.nginx.port
      #expect(port == 8081)
      try put("nginx:\n  port: 8082\n", at: bundle.appending("config.yml"))
      let error = #expect(throws: StepError.self) { _ = try current(bundle) }
      #expect(error?.detail.contains("config.yml is not as bundle.json says") == true)
      try removeFile(bundle.appending("config.yml"))
      try Manifest.describing(bundle).save(to: bundle)
      port = try current(bundle).configuration.nginx.port
      #expect(port == 80)
      try put("nginx:\n  port: 8082\n", at: bundle.appending("config.yml"))
      #expect(throws: StepError.self) { _ = try current(bundle) }
    }
  }
}
