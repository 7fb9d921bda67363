import Testing

@testable import TargetSetup

/// systemd.service(5), "Command lines", and systemd.unit(5), "Specifiers".
@Test(
  "a word of a unit's command line is read back as it was",
  arguments: [
    ("/var/lib/kubespray-offline/services/nginx.sh", "/var/lib/kubespray-offline/services/nginx.sh"),
    ("/a folder/x.sh", #""/a folder/x.sh""#), ("100%", #""100%%""#), ("$a\"b\\c", #""$$a\"b\\c""#),
  ])
func unitWords(word: String, expected: String) {
  #expect(ContainerService.unitWord(word) == expected)
}
