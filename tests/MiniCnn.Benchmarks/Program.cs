// Measures MiniCnn and TorchSharp alternately on the same work in one run:
//
//   dotnet run -c Release --project tests/MiniCnn.Benchmarks -- compare
//   dotnet run -c Release --project tests/MiniCnn.Benchmarks -- errors
//
// Exit code 0: success; 1: TorchSharp failed or a file cannot be written; 2: invalid command line; 130: stopped.
using System.Globalization;
using MiniCnn;
using MiniCnn.Benchmarks;

// The comparison starts the first two as separate processes: the peer, and the first training step of either side.
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
