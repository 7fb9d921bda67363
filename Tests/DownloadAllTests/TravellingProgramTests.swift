import Bundle
import Cache
import Files
import Foundation
import Host
import Integrity
import SystemPackage
import TestSupport
import Testing

@testable import DownloadAll

@Suite("The program that travels")
struct TravellingProgramTests {
  /// The program as this build has made it: it lies beside the tests.
  private func program() throws -> FilePath {
    let running = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    var folder = FilePath(running).removingLastComponent()
    // The toolchain's own runner may run the tests; then the package's folder is the current one.
    if FileInfo(regularFile: folder.appending("target-setup")) == nil {
      folder = FilePath(".build").appending("debug")
    }
    return folder.appending("target-setup")
  }

  /// Brings artifacts into a folder with the permission bits that FAT leaves: none.
  private func unpack(_ artifacts: [Artifact], to folder: FilePath, mode: Int) throws {
    for artifact in artifacts {
      let place = folder.appending(FilePath(artifact.path.description).components)
      try createDirectories(place.removingLastComponent())
      switch artifact.source {
      case .local(let path, _): _ = try copyDurably(path, to: place)
      case .generated(let bytes): try writeAtomically(bytes, to: place)
      default: Issue.record("\(artifact.path) comes from elsewhere")
      }
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: place.string)
    }
  }

  @Test("its libraries are found by the loader that it names")
  func elf() async throws {
    let elf = try await ELFProgram(try program())
    #expect(elf.loader.lastComponent?.string.hasPrefix("ld") == true)
    #expect(elf.libraries.contains { $0.name == "libc.so.6" })
    #expect(elf.libraries.contains { $0.name.hasPrefix("libarchive.so") })
    #expect(!elf.libraries.contains { $0.name.contains("/") })
  }

  @Test(
    "it is the file of its name, or in a release the one that is both programs",
    arguments: [
      (["download-all", "target-setup"], "target-setup"),
      (["kubespray-offline", "ld-linux.so.2"], "kubespray-offline"),
      (["download-all", "kubespray-offline", "target-setup"], "target-setup"),
      (["download-all"], nil),
    ])
  func file(_ names: [String], _ expected: String?) throws {
    try withFolder { folder in
      for name in names { try writeAtomically("", to: folder.appending(name)) }
      if let expected {
        #expect(try TravellingProgram.program(in: folder) == folder.appending(expected))
      } else {
        let path = folder.appending("target-setup")
        let reason = "there is no such program beside download-all"
        #expect(throws: TravellingProgramError(path: path, reason: reason)) {
          try TravellingProgram.program(in: folder)
        }
      }
    }
  }

  @Test(
    "the program that runs is what a loader beside it was given, and else what the system shows",
    arguments: [
      ("ld-linux-x86-64.so.2", "/elsewhere/kubespray-offline", "kubespray-offline"),
      ("ld-linux-x86-64.so.2", "/elsewhere/other", "ld-linux-x86-64.so.2"),
      ("download-all", "kubespray-offline", "download-all"),
    ])
  func running(_ shown: String, _ name: String, _ expected: String) throws {
    try withFolder { folder in
      for file in [shown, "kubespray-offline"] { try writeAtomically("", to: folder.appending(file)) }
      #expect(
        RunningProgram.file(executable: folder.appending(shown), startedAs: name)
          == folder.appending(expected))
    }
  }

  @Test("what is no program of this machine is told")
  func noProgram() async throws {
    try await withFolder { folder in
      let text = folder.appending("text")
      try writeAtomically("#!/bin/sh\n", to: text)
      await #expect(throws: TravellingProgramError.self) { try await ELFProgram(text) }
      #expect(
        throws: TravellingProgramError(
          path: "/p", reason: "its library libx.so.1 is not found on this machine")
      ) {
        try ELFProgram.parse("\tlibx.so.1 => not found\n", of: "/p")
      }
    }
  }

  @Test(
    "from a disk without permission bits the launcher starts it, with all arguments, and leaves nothing",
    arguments: [0o644, 0o755])
  func launcher(_ mode: Int) async throws {
    try await withFolder { folder in
      let travelling = TravellingProgram(program: try program(), cache: try Cache(folder.appending("cache")))
      { _, _ in }
      let artifacts = try await travelling.artifacts()
      #expect(
        Set(artifacts.map { "\($0.path)" }).isSuperset(of: [
          "target-setup", "lib/target-setup", "lib/libc.so.6",
        ]))
      let bundle = folder.appending("a bundle")
      try unpack(artifacts, to: bundle, mode: mode)
      let launcher = bundle.appending("target-setup").string
      let before = Self.leftByLaunchers()
      let version = try await Command("sh", [launcher, "--version"]).run()
      #expect(version.standardOutput == "\(programVersion)\n", "\(version.standardError)")
      // The bundle is the folder of the launcher, whatever the current one is.
      let verify = try await Command("sh", [launcher, "verify", "--json"], workingDirectory: "/").run()
      #expect(verify.status == 1)
      #expect(verify.standardError.contains("a bundle has no bundle.json"))
      let wrong = try await Command("sh", [launcher, "two words"]).run()
      #expect(wrong.status == 2)
      #expect(wrong.standardError.contains("\"two words\" is neither a step"))
      #expect(Self.leftByLaunchers().subtracting(before).isEmpty)
    }
  }

  /// The folders of launchers whose process has ended; others may be at work on this machine.
  private static func leftByLaunchers() -> Set<String> {
    let names = ["/run", "/tmp"].flatMap { (try? FileManager.default.contentsOfDirectory(atPath: $0)) ?? [] }
    return Set(
      names.filter { name in
        name.hasPrefix(".target-setup.")
          && !FileManager.default.fileExists(atPath: "/proc/\(name.split(separator: ".").last ?? "")")
      })
  }

  @Test("a library that did not come along is told by the launcher")
  func incomplete() async throws {
    try await withFolder { folder in
      try writeAtomically(TravellingProgram.launcher(loader: "ld.so"), to: folder.appending("target-setup"))
      let result = try await Command("sh", [folder.appending("target-setup").string, "all"]).run()
      #expect(result.status == 1)
      #expect(result.standardError.contains("lib is not complete. Copy the whole bundle again."))
    }
  }

  @Test("a second time nothing is made again")
  func second() async throws {
    try await withFolder { folder in
      let travelling = TravellingProgram(program: try program(), cache: try Cache(folder.appending("cache")))
      { _, _ in }
      let first = try await travelling.artifacts()
      guard case .local(let library, _) = first[0].source else { throw CancellationError() }
      let before = FileInfo(regularFile: library)
      #expect(try await travelling.artifacts() == first)
      #expect(FileInfo(regularFile: library) == before)
    }
  }
}
