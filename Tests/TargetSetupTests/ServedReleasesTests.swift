import Console
import Files
import Host
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

@Suite("Releases served beside one another")
struct ServedReleasesTests {
  private func release(
    _ number: Int, _ host: TargetHost, _ files: [String: String] = [:], version: String? = nil,
    parts: [ServedTree.Part] = [.files, .debs, .pypi], keys: [String: [String]] = [:]
  ) throws -> ServedRelease {
    let folder = FilePath("/srv/bundle\(number)")
    for part in parts { try createDirectories(host.path(folder.appending(part.rawValue))) }
    return ServedRelease(
      id: "id\(number)", kubespray: version ?? "2.\(number).0", folder: folder, parts: parts, files: files,
      keys: keys)
  }

  private func remember(_ releases: ServedReleases, _ host: TargetHost) throws {
    try put(String(decoding: try releases.bytes(), as: UTF8.self), at: host.path(ServedReleases.file(host)))
  }

  private func withHost(_ body: (TargetHost) throws -> Void) throws {
    try withFolder { try body(context(root: $0, bundle: $0).host) }
  }

  @Test("the present bundle comes first, and those before it stay with all that they have, the newest first")
  func order() throws {
    try withHost { host in
      for number in 1...3 {
        let present = try release(number, host)
        try remember(try ServedReleases(present: present, on: host), host)
      }
      #expect(try ServedReleases.read(host).map(\.id) == ["id3", "id2", "id1"])
      // Going back.
      let again = try ServedReleases(present: try release(1, host), on: host)
      #expect(again.releases.map(\.id) == ["id1", "id3", "id2"] && again.dropped.isEmpty)
      #expect(
        again.mounts.map(\.source) == [
          "/srv/bundle3/files", "/srv/bundle3/debs", "/srv/bundle3/pypi", "/srv/bundle2/files",
          "/srv/bundle2/debs", "/srv/bundle2/pypi",
        ])
      #expect(again.mounts.allSatisfy { $0.isOptional && !$0.isWritable })
    }
  }

  @Test("a bundle whose folder is gone, or holds another one now, is served no longer, with the reason")
  func dropped() throws {
    try withHost { host in
      try remember(try ServedReleases(present: try release(1, host), on: host), host)
      try remember(try ServedReleases(present: try release(2, host), on: host), host)
      try removeTree(host.path("/srv/bundle1"))
      let replaced = ServedRelease(id: "id9", kubespray: "2.9.0", folder: "/srv/bundle2", files: [:])
      let now = try ServedReleases(present: replaced, on: host)
      #expect(now.releases == [replaced])
      #expect(
        now.dropped.map(\.reason) == ["/srv/bundle2 now holds another bundle", "/srv/bundle1 is gone"])
      #expect(
        now.remarks.map(\.text).contains {
          $0.hasPrefix(
            "of kubespray 2.1.0 no longer served: files, debs, pypi, since /srv/bundle1 is gone. A cluster")
        })
    }
  }

  @Test("of a bundle of which a folder is gone the rest stays served")
  func partGone() throws {
    try withHost { host in
      try remember(try ServedReleases(present: try release(1, host), on: host), host)
      try removeTree(host.path("/srv/bundle1/debs"))
      let now = try ServedReleases(present: try release(2, host), on: host)
      #expect(now.releases.map(\.parts) == [[.files, .debs, .pypi], [.files, .pypi]])
      #expect(now.dropped.map(\.parts) == [[.debs]])
      #expect(now.dropped.map(\.reason) == ["/srv/bundle1/debs is gone"])
      #expect(now.lines.contains { $0.contains(#"/releases/2\.1\.0/(?<released>(files|pypi)("#) })
    }
  }

  @Test("where two bundles differ at one path, the path is named; what only one has is no conflict")
  func conflicts() throws {
    try withHost { host in
      let old = try release(1, host, ["a": "1", "b": "1", "only-old": "1"])
      try remember(try ServedReleases(present: old, on: host), host)
      let now = try ServedReleases(
        present: try release(2, host, ["a": "2", "b": "1", "only-new": "1"]), on: host)
      #expect(now.conflicts.map(\.release) == [old] && now.conflicts.map(\.paths) == [["a"]])
    }
  }

  @Test("a file of the present bundle wins, then the next release is asked; each has an address of its own")
  func lines() throws {
    try withHost { host in
      try remember(try ServedReleases(present: try release(1, host), on: host), host)
      let alone = try ServedReleases(present: try release(1, host), on: host).lines.joined(
        separator: "\n")
      #expect(alone.contains("try_files $uri $uri/ =404;") && !alone.contains("@release"))
      let both = try ServedReleases(present: try release(2, host), on: host).lines.joined(
        separator: "\n")
      #expect(both.contains("try_files $uri $uri/ @release1;"))
      #expect(
        both.contains(
          #"""
              location ~ ^/releases/2\.1\.0/(?<released>(files|debs|pypi)(/(?!(.*/)?\.).*)?)$ {
                  alias /usr/share/nginx/releases/1/$released;
                  disable_symlinks on from=/usr/share/nginx/releases/1;
          """#))
      #expect(
        both.contains(
          #"""
              location ~ ^/releases/2\.2\.0/(?<released>(files|debs|pypi)(/(?!(.*/)?\.).*)?)$ {
                  alias /usr/share/nginx/html/$released;
                  disable_symlinks on from=/usr/share/nginx/html;
          """#))
    }
  }

  @Test("of two bundles of one version, the newer one has the address; files of the older one stay behind it")
  func sameVersion() throws {
    try withHost { host in
      try remember(try ServedReleases(present: try release(1, host, version: "2.30.0"), on: host), host)
      let now = try ServedReleases(present: try release(2, host, version: "2.30.0"), on: host)
      #expect(now.lines.count { $0.contains("(?<released>(files") } == 1)
      #expect(now.mounts.map(\.source) == ["/srv/bundle1/files"])
    }
  }

  @Test(
    "nodes are to be told of another key only where it is another one at their own release's address",
    arguments: [
      ("2.30.0", ["debs/local": ["B"]], ["debs/local"]), ("2.30.0", ["debs/local": ["A"]], []),
      ("2.31.0", ["debs/local": ["B"]], []), ("2.30.0", ["debs/local": []], ["debs/local"]),
      ("2.30.0", ["rpms/local": ["B"]], []), ("2.30.0", ["debs/local": ["A", "vendor"]], ["debs/local"]),
    ] as [(String, [String: [String]], [String])])
  func otherKey(_ version: String, _ keys: [String: [String]], _ refused: [String]) throws {
    try withHost { host in
      let first = try release(1, host, version: "2.30.0", keys: ["debs/local": ["A"]])
      try remember(try ServedReleases(present: first, on: host), host)
      let present = try release(2, host, version: version, keys: keys)
      let now = try ServedReleases(present: present, on: host)
      let told = now.remarks.filter { $0.text.contains("another key") }
      #expect(told.count == (refused.isEmpty ? 0 : 1))
      #expect(told.allSatisfy { $0.level == .warning && $0.text.contains("offline-repo.yml") })
      for repository in refused { #expect(told.contains { $0.text.contains(repository) }) }
      // Not again at the next run of the same bundle.
      try remember(now, host)
      let again = try ServedReleases(present: present, on: host)
      #expect(!again.remarks.contains { $0.text.contains("another key") })
    }
  }

  @Test(
    "what an earlier version of this program has set up is served with its packages, and its nodes are told of"
  )
  func earlierVersion() throws {
    try withHost { host in
      _ = try release(1, host)
      try put(
        #"[{"files":{"a":"1"},"id":"id1","kubespray":"2.1.0","path":"/srv/bundle1/files"}]"#,
        at: host.path(ServedReleases.file(host)))
      let now = try ServedReleases(present: try release(2, host), on: host)
      #expect(now.releases.map(\.parts) == [[.files, .debs, .pypi], [.files, .debs, .pypi]])
      #expect(now.dropped.isEmpty)
      func told(_ releases: ServedReleases) -> Int {
        releases.remarks.count { $0.text.hasPrefix("kubespray 2.1.0 was set up by an earlier version") }
      }
      #expect(told(now) == 1)
      try remember(now, host)
      let later = try ServedReleases(present: try release(2, host), on: host)
      #expect(told(later) == 0)
      // The same bundle by this version is a set-up like any other.
      let again = try ServedReleases(present: try release(1, host), on: host)
      #expect(again.releases.map(\.id) == ["id1", "id2"])
    }
  }

  @Test("a version that could write into the web server's configuration gets no address")
  func addresses() {
    for version in ["2.30.0", "master", "46dbdd3", "release-2.30"] {
      #expect(ServedRelease(id: "", kubespray: version, folder: "/x", files: [:]).addressPart == version)
      #expect(ReleaseAddress.path(of: version) == "/releases/\(version)")
    }
    for version in ["", "../x", "a/b", "2.30 {", ".hidden", "x\n"] {
      #expect(ServedRelease(id: "", kubespray: version, folder: "/x", files: [:]).addressPart == nil)
      #expect(ReleaseAddress.path(of: version).isEmpty)
    }
  }

  @Test("a damaged memory is an error that names the file, and nothing is forgotten")
  func damaged() throws {
    try withHost { host in
      try put("[{\"id\":", at: host.path(ServedReleases.file(host)))
      let error = try #require(throws: StepError.self) { try ServedReleases.read(host) }
      #expect(error.detail.contains("releases.json"))
    }
  }
}

@Suite("Script that runs a container")
struct RunContainerScriptTests {
  @Test("it ends the process that an earlier container has left, and no other's; a gone folder is named")
  func remains() async throws {
    try await withFolder { folder in
      let shim = folder.appending("containerd-shim-runc-v2")
      // Not "exec": the words of the command line are what is looked for.
      try put("while :; do sleep 1; done\n", at: shim)
      let script = folder.appending("run.sh")
      try put("#!/bin/sh\necho \"$@\" >>\(folder)/calls\n", at: folder.appending("ctr"))
      _ = try await Command("chmod", ["755", folder.appending("ctr").string]).run()
      let template = TextTemplate(PackageResources.run_container_sh, quoting: shellQuoted).filled(
        ["ctr": folder.appending("ctr").string, "name": "webtest", "processes": "10"],
        verbatim: [
          "title": "the web server", "needed": folder.string, "options": "run", "others": "",
          "command": "image webtest",
        ])
      try put(template, at: script)
      func start(_ id: String) async throws -> String {
        try await Command(
          "sh", ["-c", "sh \(shim) -namespace default -id \(id) -address x >/dev/null 2>&1 & echo $!"]
        ).run().standardOutput.split(separator: "\n").first.map(String.init) ?? ""
      }
      let (ours, theirs) = (try await start("webtest"), try await start("webtest2"))
      _ = try await Command("sh", [script.string]).run()
      #expect(commandLine(ours).isEmpty)
      #expect(commandLine(theirs).contains("webtest2"))
      _ = try await Command("sh", ["-c", "kill \(theirs)"]).run()
      let calls = try readText(folder.appending("calls"))
      #expect(calls.hasSuffix("--namespace default run image webtest\n"))
      try put(template.replacing("for folder in \(folder)", with: "for folder in /nowhere/files"), at: script)
      let result = try await Command("sh", [script.string]).run()
      #expect(
        result.status == 1
          && result.standardOutput.contains("/nowhere/files, which the web server needs, is gone"))
    }
  }

  private func commandLine(_ process: String) -> String { text(FilePath("/proc/\(process)/cmdline")) ?? "" }
}
