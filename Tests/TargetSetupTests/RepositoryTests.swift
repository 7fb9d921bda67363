import Bundle
import Foundation
import Host
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

@Suite("Package repositories of a bundle")
struct RepositoryTests {
  static let debian12 = OSRelease.parse("ID=debian\nVERSION_ID=12")
  static let debian13 = OSRelease.parse("ID=debian\nVERSION_ID=13")
  static let alma9 = OSRelease.parse("ID=almalinux\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=9.5")

  @Test("a node takes the folder of its own release, and a rebuild of RHEL that of another")
  func choice() throws {
    try withFolder { bundle in
      for folder in ["debs/local", "debs/debian-13", "rpms/rocky-9"] { try putRepository(folder, in: bundle) }
      let repositories = try BundleRepositories(bundle: .intact(bundle), host: "debian-12")
      #expect(try repositories.repository(for: Self.debian12)?.path == "debs/local")
      #expect(try repositories.repository(for: Self.debian13)?.path == "debs/debian-13")
      #expect(try repositories.repository(for: Self.alma9)?.path == "rpms/rocky-9")
      #expect(try repositories.repository(for: OSRelease.parse("ID=alpine\nVERSION_ID=3")) == nil)
      let error = #expect(throws: NoPackagesForRelease.self) {
        try repositories.repository(for: OSRelease.parse("ID=ubuntu\nID_LIKE=debian\nVERSION_ID=24.04"))
      }
      #expect(
        error?.description
          == "the bundle has no packages for ubuntu-24.04, only for debian-12, debian-13, rocky-9")
    }
  }

  @Test("packages of SUSE are for SUSE alone, and for both of its systems of one version")
  func suse() throws {
    let leap = OSRelease.parse("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\nVERSION_ID=\"16.0\"")
    let sles = OSRelease.parse("ID=sles\nID_LIKE=suse\nVERSION_ID=16.0")
    try withFolder { bundle in
      try putRepository("rpms/rocky-9", in: bundle)
      #expect(try BundleRepositories(bundle: .intact(bundle), host: nil).repository(for: leap) == nil)
      try putRepository("rpms/opensuse-leap-16.0", in: bundle)
      let repositories = try BundleRepositories(bundle: .intact(bundle), host: "debian-12")
      #expect(try repositories.repository(for: leap)?.path == "rpms/opensuse-leap-16.0")
      #expect(try repositories.repository(for: sles)?.path == "rpms/opensuse-leap-16.0")
      #expect(try repositories.repository(for: Self.alma9)?.path == "rpms/rocky-9")
      #expect(throws: NoPackagesForRelease.self) {
        try repositories.repository(for: OSRelease.parse("ID=opensuse-leap\nVERSION_ID=15.6"))
      }
    }
    #expect(HostPython.choice(for: leap)?.packages == ["python313"])
    #expect(SystemTrust.place(leap) == "/etc/pki/trust/anchors/kubespray-offline.pem")
  }

  @Test("a bundle that does not tell its release serves every node of the family")
  func unnamed() throws {
    try withFolder { bundle in
      try putRepository("debs/local", in: bundle)
      let repositories = try BundleRepositories(bundle: .intact(bundle), host: nil)
      #expect(try repositories.repository(for: Self.debian13)?.path == "debs/local")
      #expect(try repositories.repository(for: Self.alma9) == nil)
    }
  }

  @Test("of two folders \"local\" the one of the release's own kind is taken")
  func merged() throws {
    try withFolder { bundle in
      try putRepository("debs/local", in: bundle)
      try putRepository("rpms/local", in: bundle)
      let debian = try BundleRepositories(bundle: .intact(bundle), host: "debian-12")
      #expect(try debian.repository(for: Self.debian12)?.path == "debs/local")
      let rocky = try BundleRepositories(bundle: .intact(bundle), host: "rocky-9")
      #expect(try rocky.repository(for: Self.alma9)?.path == "rpms/local")
    }
  }

  @Test("signatures and keys are those that the repository tells")
  func signatures() throws {
    try withFolder { bundle in
      try putRepository("debs/local", in: bundle)
      try putRepository("rpms/rocky-9", in: bundle)
      let rpms = bundle.appending("rpms/rocky-9")
      try put("", at: rpms.appending("keys/RPM-GPG-KEY-Rocky-9"))
      let own = "keys/RPM-GPG-KEY-kubespray-offline"
      try put(
        #"{"gpgcheck": true, "keys": ["keys/RPM-GPG-KEY-Rocky-9"], "repositoryKey": "\#(own)"}"#,
        at: rpms.appending("keys/signatures.json"))
      let repositories = try BundleRepositories(bundle: .intact(bundle), host: "debian-12")
      let files = RepositoryFiles(server: "http://10.0.0.5:8080", release: "/releases/2.30.0")
      let debian = try #require(try repositories.repository(for: Self.debian12))
      #expect(
        files.aptSource(debian) == """
          # kubespray-offline: packages from the bundle on the admin host.
          Types: deb
          URIs: http://10.0.0.5:8080/releases/2.30.0/debs/local/
          Suites: ./
          Signed-By: /etc/apt/keyrings/kubespray-offline.asc
          Check-Date: no

          """)
      let rocky = try #require(try repositories.repository(for: Self.alma9))
      #expect(
        files.dnfSource(rocky) == """
          # kubespray-offline: packages from the bundle on the admin host.
          [kubespray-offline]
          name=Packages from the bundle on the admin host
          baseurl=http://10.0.0.5:8080/releases/2.30.0/rpms/rocky-9/
          enabled=1
          gpgcheck=1
          repo_gpgcheck=1
          gpgkey=file:///etc/pki/rpm-gpg/kubespray-offline-RPM-GPG-KEY-Rocky-9 \
          file:///etc/pki/rpm-gpg/kubespray-offline-RPM-GPG-KEY-kubespray-offline
          metadata_expire=300
          proxy=_none_

          """)
      #expect(
        PlaybookSettings.text(repositories, release: "/releases/2.30.0") == """
          ---
          # Written by target-setup: what is in this bundle, and where it is served.
          offline_repo_release_path: "/releases/2.30.0"
          offline_repo_targets:
            debian-12: local
            rocky-9: rocky-9
          offline_repo_signatures:
            debs/local:
              public_keys: ["kubespray-offline.asc"]
              packages: false
              metadata: true
            rpms/rocky-9:
              public_keys: ["RPM-GPG-KEY-Rocky-9", "RPM-GPG-KEY-kubespray-offline"]
              packages: true
              metadata: true

          """)
    }
  }

  @Test("each architecture takes its own index of a Debian repository for several")
  func architectures() throws {
    try withFolder { bundle in
      try putRepository("debs/local", in: bundle, architectures: ["amd64", "arm64"])
      let repositories = try BundleRepositories(bundle: .intact(bundle), host: "debian-12")
      #expect(repositories.repositories.map(\.path) == ["debs/local"])
      let repository = try #require(try repositories.repository(for: Self.debian12))
      let files = RepositoryFiles(server: "http://10.0.0.5")
      #expect(
        files.aptSource(repository).contains("\nURIs: http://10.0.0.5/debs/local/\nSuites: $(ARCH)/\n"))
      #expect(
        PlaybookSettings.text(repositories, release: "").hasSuffix(
          "\noffline_repo_architectures: [debs/local]\n"))
    }
  }

  @Test(
    "what must be signed and lacks a signature or its key is refused by name, and nothing is trusted instead",
    arguments: [
      "debs/local/InRelease", "debs/local/Release.gpg", "debs/local/kubespray-offline.asc",
      "debs/local/arm64/InRelease", "debs/local/arm64/Release.gpg", "rpms/rocky-9/repodata/repomd.xml.asc",
      "rpms/rocky-9/keys/signatures.json", "rpms/rocky-9/keys/RPM-GPG-KEY-kubespray-offline",
    ])
  func removedSignature(_ file: String) throws {
    try withFolder { bundle in
      try putRepository("debs/local", in: bundle, architectures: ["amd64", "arm64"])
      try putRepository("rpms/rocky-9", in: bundle)
      _ = try BundleRepositories(bundle: .intact(bundle), host: "debian-12")
      try FileManager.default.removeItem(atPath: bundle.pushing(FilePath(file)).string)
      // Whoever removes the file may correct the manifest too: that a repository is signed is not for it to say.
      let error = #expect(throws: StepError.self) {
        try BundleRepositories(bundle: .intact(bundle), host: "debian-12")
      }
      #expect(error?.detail.contains("must be signed, and bundle.json lists no \(file)") == true)
    }
  }

  @Test("an index that the manifest wants signed cannot be removed as a whole")
  func removedIndex() throws {
    try withFolder { bundle in
      var manifest = Manifest.describing(bundle)
      manifest.signedRepositories = ["debs/local": String(repeating: "A1", count: 20)]
      let error = #expect(throws: StepError.self) {
        try BundleRepositories(bundle: ArrivedBundle(bundle, manifest: manifest), host: "debian-12")
      }
      #expect(
        error?.detail == "debs/local of the bundle must be signed, and bundle.json lists no index of it")
    }
  }

  @Test("without a key only this repository of the shell project is trusted, and no proxy is asked for it")
  func unsigned() {
    let repository = BundleRepositories.Repository(kind: .debs, folder: "local")
    let files = RepositoryFiles(server: "http://10.0.0.5")
    #expect(files.aptSource(repository).contains("\nTrusted: yes\n"))
    #expect(files.aptSettings.hasSuffix("\nAcquire::http::Proxy::10.0.0.5 \"DIRECT\";\n"))
    #expect(
      PipClient(server: files.server).settings.contains(
        "index-url = http://10.0.0.5/pypi/\ntrusted-host = 10.0.0.5\n"))
    #expect(
      PipClient(server: files.server, release: "/releases/2.30.0").settings.contains(
        "index-url = http://10.0.0.5/releases/2.30.0/pypi/\ntrusted-host = 10.0.0.5\n"))
    let dnf = files.dnfSource(BundleRepositories.Repository(kind: .rpms, folder: "local"))
    #expect(dnf.contains("\ngpgcheck=0\nrepo_gpgcheck=0\nmetadata_expire"))
    // apt takes the colons of an IPv6 address for its own.
    let other = RepositoryFiles(server: "http://[fd00::5]:8080")
    #expect(other.aptDirect == nil)
    #expect(PipClient(server: other.server).settings.contains("trusted-host = [fd00::5]:8080\n"))
  }

  @Test("of a transaction only what comes new is undone later")
  func newPackages() {
    let apt = """
      Reading package lists...
      Inst libpython3.11-stdlib [3.11.2-6] (3.11.2-6+deb12u6 local [amd64]) []
      Inst python3.11-venv (3.11.2-6+deb12u6 local [amd64])
      Inst libc6:i386 (2.36 local [i386])
      Conf python3.11-venv (3.11.2-6+deb12u6 local [amd64])
      """
    #expect(AptClient.newPackages(inSimulation: apt) == ["python3.11-venv", "libc6"])
    let dnf = """
      Dependencies resolved.
       Package          Arch    Version      Repository          Size
      Installing:
       python3.11       x86_64  3.11.9-2     kubespray-offline    26 k
      Installing dependencies:
       mpdecimal        x86_64  2.5.1-3      kubespray-offline    85 k
      Transaction Summary
      """
    #expect(DnfClient.newPackages(inTransaction: dnf) == ["python3.11", "mpdecimal"])
    let zypper = """
      <install-summary download-size="10990" space-usage-diff="0" packages-to-change="3">
      <to-upgrade>
      <solvable type="package" name="old" edition="2-1" arch="noarch" edition-old="1-1" summary="x">
      </to-upgrade>
      <to-install>
      <solvable type="package" name="python313" edition="3.13.5-1" arch="x86_64" summary="a name=&quot;x&quot;">
      <description>x</description></solvable>
      <solvable type="package" name="python313-base" edition="3.13.5-1" arch="x86_64" summary="x">
      <solvable type="patch" name="none" edition="1" arch="noarch" summary="x">
      </to-install>
      </install-summary>
      """
    #expect(ZypperClient.newPackages(inPlan: zypper) == ["python313", "python313-base"])
  }

  @Test("each supported release has its Python")
  func pythons() {
    #expect(HostPython.choice(for: Self.debian12)?.packages == ["python3.11", "python3.11-venv"])
    #expect(HostPython.choice(for: Self.debian13)?.minor == 13)
    #expect(HostPython.choice(for: OSRelease.parse("ID=ubuntu\nVERSION_ID=26.04"))?.minor == 14)
    #expect(HostPython.choice(for: OSRelease.parse("ID=fedora\nVERSION_ID=44"))?.packages == ["python3.14"])
    #expect(HostPython.choice(for: Self.alma9)?.packages == ["python3.11"])
    #expect(HostPython.choice(for: OSRelease.parse("ID=debian\nVERSION_ID=11")) == nil)
  }

  @Test(
    "dnf comes to its own question, or says that a setting keeps it from a package",
    arguments: [
      (1, "Installed size: 0\nOperation aborted.\n", "", true),
      (0, "Package leaf-1-1.noarch is already installed.\nNothing to do.\n", "", true),
      (1, "", "Error: \n Problem: problem with installed package coreutils-single\n", true),
      (
        1, "All matches were filtered out by exclude filtering for argument: leaf\n",
        "Error: Unable to find a match: leaf\n", false
      ),
      (1, "No match for argument: leaf\n", "Error: Unable to find a match: leaf\n", false),
    ])
  func dnfAnswers(_ status: Int32, _ output: String, _ error: String, _ isTaken: Bool) throws {
    let answer = CommandResult(status: status, standardOutput: output, standardError: error)
    #expect(DnfClient().wouldInstall(answer) == isTaken)
    try withFolder { folder in
      let host = context(root: folder, bundle: folder).host
      #expect(DnfClient().blame(answer, host) == nil)
      try put("[main]\ngpgcheck=1\nexcludepkgs = kube*\n", at: host.path("/etc/dnf/dnf.conf"))
      #expect(DnfClient().blame(answer, host)?.hasPrefix("/etc/dnf/dnf.conf has excludepkgs") == true)
    }
  }

  @Test(
    "zypper would install, or says that a lock keeps it from a package",
    arguments: [
      (0, "'leaf' is already installed.\nNothing to do.\n", true),
      (4, "Problem: nothing provides x needed by leaf-1-1.noarch\n Solution 1: do not install leaf\n", true),
      (
        4, "Problem: conflicting requests\n Solution 1: remove lock to allow installation of leaf-1-1\n",
        false
      ),
      (104, "'leaf' not found in package names. Trying capabilities.\nNo provider of 'leaf' found.\n", false),
    ])
  func zypperAnswers(_ status: Int32, _ output: String, _ isTaken: Bool) throws {
    let answer = CommandResult(status: status, standardOutput: output)
    #expect(ZypperClient().wouldInstall(answer) == isTaken)
    try withFolder { folder in
      let host = context(root: folder, bundle: folder).host
      let blame = ZypperClient().blame(answer, host)
      #expect((blame?.contains("/etc/zypp/locks") == true) == output.contains("remove lock"))
    }
  }

  @Test("dnf is asked for a package of the bundle that the host has not")
  func dnfSample() throws {
    try withFolder { folder in
      let bundle = folder.appending("bundle")
      try putRepository("rpms/local", in: bundle)
      for file in ["ant-lib-1.0-2.el9.noarch", "bee-1.0-1.el9.x86_64", "short"] {
        try put("x", at: bundle.appending("rpms/local/\(file).rpm"))
      }
      let context = context(root: folder, bundle: bundle, system: "ID=rocky\nVERSION_ID=9.5")
      let repository = BundleRepositories.Repository(kind: .rpms, folder: "local")
      func sample(_ installed: Set<String>) throws -> String? {
        try DnfClient().sample(of: repository, context.bundle, installed: installed)
      }
      #expect(try sample([]) == "ant-lib")
      #expect(try sample(["ant-lib"]) == "bee")
      #expect(try sample(["ant-lib", "bee"]) == "ant-lib")
    }
  }
}
