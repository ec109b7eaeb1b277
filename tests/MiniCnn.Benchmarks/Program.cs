// MiniCnn and TorchSharp at the same work, in turn, in one run:
//
//   dotnet run -c Release --project tests/MiniCnn.Benchmarks -- compare
//   dotnet run -c Release --project tests/MiniCnn.Benchmarks -- errors
//
// Exit code 0: measured; 1: a peer that failed, or a file that cannot be written; 2: a command line that makes no sense; 130: stopped.
using System.Globalization;
using MiniCnn;
using MiniCnn.Benchmarks;

// The first two are what the comparison runs as processes of their own: the peer, and either side's first step with nothing else loaded.
switch (args)
{
    case ["peer", string threads]:
        Workers.Count = int.Parse(threads, CultureInfo.InvariantCulture);
        return PeerProgram.Run();
    case ["start", string threads, string side, string net]:
        Workers.Count = int.Parse(threads, CultureInfo.InvariantCulture);
        return FirstStep.Run(side, net);
    default:
        return CompareCommand.Run(args);
}
